import type { PatchType } from './call.js'
import { deepCopy, isJsonObject, type JsonObject, ownValue, setValue } from './json.js'
import { applyJsonPatch } from './json-patch.js'
import type { Schema } from './schema.js'
import { refusals } from './status-error.js'
import { applyStrategicMerge } from './strategic-merge.js'

/** What PATCH accepts, in the order a 415 names it. */
export const PATCH_TYPES: readonly PatchType[] = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
]

/**
 * The object as a patch leaves it. Neither `current` nor the patch is changed, and the result shares nothing with them.
 * `schema` gives strategic merges their keys, `resource` (`pods`, `deployments.apps`) helps where it does not say.
 * Throws StatusError: 400 for a patch that cannot be read, 422 for one that does not fit, 413 for one too long,
 * 415 for any other type: a server-side apply needs to know who owns what (managed-fields/apply.ts).
 */
export function applyPatch(
  current: object,
  patch: { type: PatchType; body: unknown },
  options: { schema?: Schema | undefined; resource?: string | undefined } = {},
): object {
  switch (patch.type) {
    case 'application/json-patch+json':
      return applyJsonPatch(current as JsonObject, patch.body)
    case 'application/merge-patch+json':
      if (!isJsonObject(patch.body)) throw refusals.badRequest('Invalid JSON Patch')
      return mergePatched(deepCopy(current), patch.body) as JsonObject
    case 'application/strategic-merge-patch+json':
      if (!isJsonObject(patch.body)) throw refusals.badRequest('invalid JSON document')
      return applyStrategicMerge(current as JsonObject, patch.body, options)
    default:
      throw refusals.unsupportedMediaType(PATCH_TYPES)
  }
}

/** RFC 7386. `target` may be changed; the patch may not. */
function mergePatched(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return deepCopy(patch)
  const result: JsonObject = isJsonObject(target) ? target : {}
  for (const key of Object.keys(patch)) {
    if (patch[key] === null) delete result[key]
    else setValue(result, key, mergePatched(ownValue(result, key), patch[key]))
  }
  return result
}
