/** One finding of a validation, as `details.causes` of a Status carries it. */
export interface Cause {
  /** FieldValueRequired, FieldValueInvalid, FieldValueNotSupported … */
  reason: string
  /** Without the path: `Required value`, `Invalid value: "x": must be …`. */
  message: string
  /** `spec.containers[0].image`. */
  field: string
}

/** metav1.Status of a failed call. */
export interface Status {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: { continue?: string }
  status: 'Success' | 'Failure'
  message?: string
  reason?: string
  details?: { name?: string; group?: string; kind?: string; uid?: string; causes?: Cause[]; retryAfterSeconds?: number }
  code?: number
}

/** A refusal by the API server. Its text reaches the person unchanged, as kn and kubectl print it. */
export class StatusError extends Error {
  readonly status: Status

  constructor(
    status: Omit<Status, 'kind' | 'apiVersion' | 'metadata' | 'status'> & {
      code: number
      reason: string
      message: string
      metadata?: Status['metadata']
    },
  ) {
    super(status.message)
    this.name = 'StatusError'
    const { code, reason, message, details, metadata } = status
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: metadata ?? {},
      status: 'Failure',
      message,
      reason,
      ...(details && { details }),
      code,
    }
  }

  get code(): number {
    return this.status.code!
  }

  get reason(): string {
    return this.status.reason ?? ''
  }
}

/** Resource as Status messages name it: { group, plural }. */
export interface ResourceName {
  group: string
  plural: string
}

const qualified = ({ group, plural }: ResourceName): string => (group ? `${plural}.${group}` : plural)
const detailsOf = ({ group, plural }: ResourceName, name: string): NonNullable<Status['details']> => ({
  name,
  ...(group && { group }),
  kind: plural,
})

/** The refusals of reference section 2.2, worded as kube-apiserver words them. */
export const refusals = {
  notFound: (resource: ResourceName, name: string) =>
    new StatusError({
      code: 404,
      reason: 'NotFound',
      message: `${qualified(resource)} "${name}" not found`,
      details: detailsOf(resource, name),
    }),
  noSuchResource: () =>
    new StatusError({ code: 404, reason: 'NotFound', message: 'the server could not find the requested resource', details: {} }),
  alreadyExists: (resource: ResourceName, name: string, terminating = false) =>
    new StatusError({
      code: 409,
      reason: 'AlreadyExists',
      message: `${terminating ? 'object is being deleted: ' : ''}${qualified(resource)} "${name}" already exists`,
      details: detailsOf(resource, name),
    }),
  conflict: (
    resource: ResourceName,
    name: string,
    why = 'the object has been modified; please apply your changes to the latest version and try again',
  ) =>
    new StatusError({
      code: 409,
      reason: 'Conflict',
      message: `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`,
      details: detailsOf(resource, name),
    }),
  invalid: (kind: { group: string; kind: string }, name: string, causes: readonly Cause[]) => {
    const texts = causes.map((cause) => `${cause.field}: ${cause.message}`)
    return new StatusError({
      code: 422,
      reason: 'Invalid',
      message: `${kind.group ? `${kind.kind}.${kind.group}` : kind.kind} "${name}" is invalid: ${texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`}`,
      details: { name, ...(kind.group && { group: kind.group }), kind: kind.kind, causes: [...causes] },
    })
  },
  badRequest: (message: string) => new StatusError({ code: 400, reason: 'BadRequest', message }),
  forbidden: (resource: ResourceName, name: string, why: string) =>
    new StatusError({
      code: 403,
      reason: 'Forbidden',
      message: `${qualified(resource)} "${name}" is forbidden: ${why}`,
      details: detailsOf(resource, name),
    }),
  unauthorized: () => new StatusError({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' }),
  methodNotAllowed: () =>
    new StatusError({
      code: 405,
      reason: 'MethodNotAllowed',
      message: 'the server does not allow this method on the requested resource',
      details: {},
    }),
  unsupportedMediaType: (accepted: readonly string[]) =>
    new StatusError({
      code: 415,
      reason: 'UnsupportedMediaType',
      message: `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
    }),
  /** A watch or continue token from before the history window. */
  expired: (message: string) => new StatusError({ code: 410, reason: 'Expired', message }),
  unavailable: () =>
    new StatusError({
      code: 503,
      reason: 'ServiceUnavailable',
      message: 'the server is currently unable to handle the request',
    }),
  internal: (message: string) => new StatusError({ code: 500, reason: 'InternalError', message: `Internal error occurred: ${message}` }),
}

export function isNotFound(error: unknown): boolean {
  return error instanceof StatusError && error.reason === 'NotFound'
}

export function isConflict(error: unknown): boolean {
  return error instanceof StatusError && error.reason === 'Conflict'
}

export function isAlreadyExists(error: unknown): boolean {
  return error instanceof StatusError && error.reason === 'AlreadyExists'
}
