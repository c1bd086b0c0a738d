import type { ApiCall, PatchType } from '../apimachinery/call.js'
import { causes } from '../apimachinery/causes.js'
import { isJsonObject } from '../apimachinery/json.js'
import type { KubeObject } from '../apimachinery/object.js'
import { applyPatch } from '../apimachinery/patch.js'
import { refusals } from '../apimachinery/status-error.js'
import { apply } from './apply.js'
import { objectOf } from './body.js'
import type { AnswerVerb } from './deps.js'
import { expanded } from './field-managers.js'
import type { Resource } from './resource.js'
import { scaledObject, scaleOf } from './scale.js'
import { change } from './update.js'

/** PATCH of an object or of one of its subresources, applied to the newest state: no race with another writer is possible. */
export const patch: AnswerVerb = async (deps, resource, call) => {
  const { type } = checkPatch(resource, call)
  if (type === APPLY) return apply(deps, resource, call)
  let patched: object = {}
  return change(deps, resource, call, {
    draftFor(current) {
      patched = call.subresource === 'scale' ? patchedScale(resource, call, current) : patchedObject(resource, call, current)
      return objectOf(resource, call, patched, { named: true })
    },
    mayCreate: false,
    versionRequired: false,
    strictRefusal: (text) => {
      const value = type === 'application/strategic-merge-patch+json' ? JSON.stringify(call.patch!.body) : JSON.stringify(patched)
      return refusals.invalid({ group: '', kind: '' }, '', [causes.invalid('patch', value, text)])
    },
  })
}

const APPLY: PatchType = 'application/apply-patch+yaml'

/** Patch types that each family of kinds takes. */
const CUSTOM_TYPES: readonly PatchType[] = ['application/json-patch+json', 'application/merge-patch+json', APPLY]
const BUILT_IN_TYPES: readonly PatchType[] = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  APPLY,
]

function checkPatch(resource: Resource, call: ApiCall): NonNullable<ApiCall['patch']> {
  if (!call.patch) throw refusals.badRequest('a patch needs a body')
  const { type, body } = call.patch
  const accepted = resource.served.builtIn && call.subresource !== 'scale' ? BUILT_IN_TYPES : CUSTOM_TYPES
  if (!accepted.includes(type)) {
    // A Scale is a built-in type of its own, without lists to merge: for it a strategic merge is a merge.
    const mergesScale = call.subresource === 'scale' && type === 'application/strategic-merge-patch+json'
    if (!mergesScale) throw refusals.unsupportedMediaType(accepted)
  }
  if (type === APPLY) return call.patch
  if (type === 'application/json-patch+json' ? !Array.isArray(body) : !isJsonObject(body))
    throw refusals.badRequest(
      type === 'application/json-patch+json'
        ? 'error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch'
        : 'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
    )
  return call.patch
}

function patchedObject(resource: Resource, { patch: sent }: ApiCall, current: KubeObject): object {
  // Only a JSON patch reaches into managed fields; the others replace the list.
  const target = sent!.type === 'application/json-patch+json' ? expanded(current) : current
  return applyPatch(target, sent!, { schema: resource.served.schema, resource: resource.stored })
}

function patchedScale(resource: Resource, { patch: sent }: ApiCall, current: KubeObject): object {
  const type = sent!.type === 'application/json-patch+json' ? sent!.type : 'application/merge-patch+json'
  const scale = applyPatch(scaleOf(resource, current), { type, body: sent!.body }, { resource: resource.stored })
  return scaledObject(resource, current, scale)
}
