import { refusals } from '../apimachinery/status-error.js'
import { type AnswerVerb, keyOf, nameOf } from './deps.js'
import { scaleOf } from './scale.js'
import { reachVersion, versionFrom } from './versions.js'

/** GET of one object, of its status (the whole object) or of its scale. */
export const get: AnswerVerb = async (deps, resource, call) => {
  const name = nameOf(call)
  const version = versionFrom(call.options?.resourceVersion)
  if (version > deps.store.version) await reachVersion(deps.store, version)
  const stored = deps.store.get(keyOf(resource, call.namespace, name))
  if (!stored) throw refusals.notFound(resource.name, name)
  const object = resource.reading ? (await resource.reading.shown([stored]))[0]! : stored
  if (call.subresource === 'scale') return { code: 200, object: scaleOf(resource, object), warnings: [] }
  return { code: 200, object: resource.served.live?.(object) ?? object, warnings: [] }
}
