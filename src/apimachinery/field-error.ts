/**
 * Validation findings in the shape and the words of Knative's webhooks: equal messages are merged, paths sorted.
 * @see knative.dev/pkg apis/field_error.go
 */
export interface Finding {
  message: string
  paths: readonly string[]
  details?: string
}

export interface FieldError {
  readonly findings: readonly Finding[]
}

/** One finding at `paths`. */
export function fieldError(message: string, paths: string | readonly string[], details?: string): FieldError {
  return { findings: [{ message, paths: typeof paths === 'string' ? [paths] : paths, ...(details && { details }) }] }
}

/** All findings together; undefined when there are none. */
export function also(...errors: readonly (FieldError | undefined)[]): FieldError | undefined {
  const findings = errors.flatMap((error) => error?.findings ?? [])
  return findings.length > 0 ? { findings } : undefined
}

/** The same findings one field further in: `image` via `containers[0]` is `containers[0].image`; an index joins without a dot. */
export function viaField(prefix: string, error: FieldError | undefined): FieldError | undefined {
  if (!error || !prefix) return error
  const join = (path: string): string => (path === '' ? prefix : path.startsWith('[') ? `${prefix}${path}` : `${prefix}.${path}`)
  return { findings: error.findings.map((finding) => ({ ...finding, paths: finding.paths.map(join) })) }
}

export function viaIndex(index: number, error: FieldError | undefined): FieldError | undefined {
  return viaField(`[${index}]`, error)
}

export const findings = {
  missingField: (...paths: string[]) => fieldError('missing field(s)', paths),
  missingOneOf: (...paths: string[]) => fieldError('expected exactly one, got neither', paths),
  multipleOneOf: (...paths: string[]) => fieldError('expected exactly one, got both', paths),
  disallowedFields: (...paths: string[]) => fieldError('must not set the field(s)', paths),
  invalidValue: (value: unknown, path: string, details?: string) => fieldError(`invalid value: ${String(value)}`, path, details),
  outOfBounds: (value: unknown, lower: unknown, upper: unknown, path: string) =>
    fieldError(`expected ${String(lower)} <= ${String(value)} <= ${String(upper)}`, path),
  invalidKeyName: (key: string, path: string, details?: string) => fieldError(`invalid key name "${key}"`, path, details),
}

/** `message: path1, path2`, details on the next line, one message after the other, sorted. */
export function fieldErrorText(error: FieldError): string {
  const merged = new Map<string, { finding: Finding; paths: Set<string> }>()
  for (const finding of error.findings) {
    const key = `${finding.message}\n${finding.details ?? ''}`
    const entry = merged.get(key) ?? { finding, paths: new Set<string>() }
    for (const path of finding.paths) entry.paths.add(path)
    merged.set(key, entry)
  }
  return [...merged.values()]
    .map(({ finding, paths }) => `${finding.message}: ${[...paths].sort().join(', ')}${finding.details ? `\n${finding.details}` : ''}`)
    .sort()
    .join('\n')
}
