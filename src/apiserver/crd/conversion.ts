import type { CustomResourceDefinition, DefinedConversion } from '../../apimachinery/custom-resource.js'
import { isJsonObject } from '../../apimachinery/json.js'
import type { KubeObject } from '../../apimachinery/object.js'
import { StatusError } from '../../apimachinery/status-error.js'
import { expanded } from '../field-managers.js'

/** Where a webhook is, as a definition says it. */
export type WebhookTarget = NonNullable<NonNullable<DefinedConversion['webhook']>['clientConfig']>

/** POSTs a body of JSON to a webhook, and waits this long (absent: 30 s). Rejects, with a message for a person, when it cannot be reached. */
export type CallWebhook = (target: WebhookTarget, body: string, timeoutSeconds?: number) => Promise<{ status: number; body: string }>

/** Turns objects of one kind into another version; at once, or by asking a webhook. Throws StatusError 500 when that fails. */
export type Convert = (objects: readonly KubeObject[], apiVersion: string) => readonly KubeObject[] | Promise<readonly KubeObject[]>

/** How a definition's objects are converted. `uid` makes the identity of a review. */
export function converterFor(
  { spec }: CustomResourceDefinition,
  { callWebhook, uid }: { callWebhook: CallWebhook | undefined; uid: () => string },
): Convert {
  const target = spec.conversion?.strategy === 'Webhook' ? spec.conversion.webhook?.clientConfig : undefined
  if (!target)
    return (objects, apiVersion) => objects.map((object) => (object.apiVersion === apiVersion ? object : { ...object, apiVersion }))
  return (objects, apiVersion) => {
    const foreign = objects.filter((object) => object.apiVersion !== apiVersion)
    if (foreign.length === 0) return objects
    return reviewed(foreign, apiVersion, { target, callWebhook, uid: uid() }).then((converted) => {
      const byOrigin = new Map(foreign.map((object, index) => [object, converted[index]!]))
      return objects.map((object) => byOrigin.get(object) ?? object)
    })
  }
}

/** @see kubernetes/apiextensions-apiserver v0.35 pkg/apiserver/conversion/webhook_converter.go */
async function reviewed(
  objects: readonly KubeObject[],
  apiVersion: string,
  { target, callWebhook, uid }: { target: WebhookTarget; callWebhook: CallWebhook | undefined; uid: string },
): Promise<readonly KubeObject[]> {
  const [first] = objects
  const failed = (why: string): StatusError =>
    new StatusError({ code: 500, reason: '', message: `conversion webhook for ${first!.apiVersion}, Kind=${first!.kind} ${why}` })
  if (!callWebhook) throw failed('failed: this server cannot call webhooks')

  const review = {
    kind: 'ConversionReview',
    apiVersion: 'apiextensions.k8s.io/v1',
    request: { uid, desiredAPIVersion: apiVersion, objects: objects.map(expanded) },
  }
  const answer = await callWebhook(target, JSON.stringify(review)).catch((error: unknown) => {
    throw failed(`failed: ${error instanceof Error ? error.message : String(error)}`)
  })
  if (answer.status < 200 || answer.status > 299) throw failed(`failed: the server answered ${answer.status}: ${answer.body.slice(0, 200)}`)
  const response = responseIn(answer.body)
  if (!response) throw failed('failed: the answer is no ConversionReview of apiextensions.k8s.io/v1')
  if (response['uid'] !== uid) throw failed(`returned an unexpected response.uid: expected ${JSON.stringify(uid)}`)
  const result = isJsonObject(response['result']) ? response['result'] : {}
  if (result['status'] !== 'Success') throw failed(`failed: ${String(result['message'] ?? 'no reason was given')}`)
  const converted = Array.isArray(response['convertedObjects']) ? (response['convertedObjects'] as unknown[]) : []
  if (converted.length !== objects.length) throw failed(`returned ${converted.length} objects, expected ${objects.length}`)
  return converted.map((object, index) => accepted(object, objects[index]!, apiVersion, failed))
}

function responseIn(body: string): Record<string, unknown> | undefined {
  try {
    const review: unknown = JSON.parse(body)
    if (!isJsonObject(review) || review['apiVersion'] !== 'apiextensions.k8s.io/v1') return undefined
    return isJsonObject(review['response']) ? review['response'] : undefined
  } catch {
    return undefined
  }
}

/** Of metadata a webhook may change labels and annotations; everything else stays what it was. */
function accepted(object: unknown, origin: KubeObject, apiVersion: string, failed: (why: string) => StatusError): KubeObject {
  if (!isJsonObject(object) || !isJsonObject(object['metadata'])) throw failed('returned an object without metadata')
  const { metadata, ...rest } = object
  if (object['apiVersion'] !== apiVersion)
    throw failed(`returned invalid converted object: expected apiVersion ${apiVersion}, got ${String(object['apiVersion'])}`)
  if (object['kind'] !== origin.kind)
    throw failed(`returned invalid converted object: expected kind ${origin.kind}, got ${String(object['kind'])}`)
  for (const field of ['name', 'namespace', 'uid'] as const) {
    if ((metadata as Record<string, unknown>)[field] !== origin.metadata[field])
      throw failed(`returned invalid metadata: metadata.${field} may not be changed`)
  }
  const { labels: _labels, annotations: _annotations, ...kept } = origin.metadata
  const { labels, annotations } = metadata as Partial<KubeObject['metadata']>
  return {
    apiVersion,
    kind: origin.kind,
    metadata: { ...kept, ...(labels && { labels }), ...(annotations && { annotations }) },
    ...without(rest),
  }
}

function without({ apiVersion: _apiVersion, kind: _kind, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return rest
}
