import { deepCopy, deepEqual, isJsonObject, type JsonObject, ownValue, setValue } from './json.js'
import { refusals, StatusError } from './status-error.js'

/** @see kubernetes/apiserver v0.35 pkg/endpoints/handlers/patch.go, maxJSONPatchOperations */
const MOST_OPERATIONS = 10_000
/** What copy operations may add in all, so that a small patch cannot double a document again and again. */
const MOST_COPIED_BYTES = 3 * 1024 * 1024

type Parent = JsonObject | unknown[]

interface Operation {
  op: string
  path: string[]
  from?: string[]
  value?: unknown
}

/**
 * Applies an RFC 6902 patch, all of it or nothing. Throws StatusError: 400 for what is no patch, 413 for too many
 * operations, 422 for one that fails (a missing path, a failed test).
 */
export function applyJsonPatch(current: JsonObject, body: unknown): JsonObject {
  if (!Array.isArray(body)) throw refusals.badRequest('json: cannot unmarshal object into Go value of type jsonpatch.Patch')
  if (body.length > MOST_OPERATIONS) throw tooLarge(body.length)
  const operations = body.map(operationFrom)

  let document: unknown = deepCopy(current)
  let copiedBytes = 0
  for (const { op, path, from, value } of operations) {
    switch (op) {
      case 'add':
        document = added(document, path, deepCopy(value))
        break
      case 'remove':
        document = removed(document, path)
        break
      case 'replace':
        valueAt(document, path)
        document = path.length === 0 ? deepCopy(value) : replaced(document, path, deepCopy(value))
        break
      case 'move': {
        if (isPrefix(from!, path)) throw doesNotFit()
        const moved = valueAt(document, from!)
        document = added(removed(document, from!), path, moved)
        break
      }
      case 'copy': {
        const copy = deepCopy(valueAt(document, from!))
        copiedBytes += (JSON.stringify(copy) ?? '').length
        if (copiedBytes > MOST_COPIED_BYTES) throw doesNotFit()
        document = added(document, path, copy)
        break
      }
      default:
        if (!deepEqual(valueForTest(document, path, value), value ?? null)) throw doesNotFit()
    }
  }
  if (!isJsonObject(document)) throw doesNotFit()
  return document
}

const OPERATIONS = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test'])

function operationFrom(raw: unknown): Operation {
  if (!isJsonObject(raw)) throw refusals.badRequest('json: cannot unmarshal array into Go value of type jsonpatch.Operation')
  const { op, path, from } = raw
  if (typeof op !== 'string' || !OPERATIONS.has(op)) throw doesNotFit()
  const needsFrom = op === 'move' || op === 'copy'
  const needsValue = op === 'add' || op === 'replace'
  if (typeof path !== 'string' || (needsFrom && typeof from !== 'string') || (needsValue && !Object.hasOwn(raw, 'value')))
    throw doesNotFit()
  return { op, path: pointerFrom(path), ...(needsFrom && { from: pointerFrom(from as string) }), value: raw.value }
}

function pointerFrom(path: string): string[] {
  if (path === '') return []
  if (!path.startsWith('/')) throw doesNotFit()
  return path
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Moving a value into itself is refused; `a` to `a` is not moving at all. */
function isPrefix(from: readonly string[], path: readonly string[]): boolean {
  return from.length < path.length && from.every((token, index) => token === path[index])
}

function childOf(parent: unknown, token: string): unknown {
  if (Array.isArray(parent)) return parent[indexIn(parent, token, parent.length - 1)]
  if (isJsonObject(parent) && Object.hasOwn(parent, token)) return ownValue(parent, token)
  throw doesNotFit()
}

function indexIn(list: readonly unknown[], token: string, last: number): number {
  if (token === '-' && last === list.length) return list.length
  if (!/^(?:0|[1-9]\d*)$/.test(token) || Number(token) > last) throw doesNotFit()
  return Number(token)
}

function valueAt(document: unknown, path: readonly string[]): unknown {
  let value = document
  for (const token of path) value = childOf(value, token)
  return value
}

/** A test against null also holds where nothing is, as in the library the API server uses. */
function valueForTest(document: unknown, path: readonly string[], expected: unknown): unknown {
  if (expected !== null && expected !== undefined) return valueAt(document, path)
  const parent = valueAt(document, path.slice(0, -1))
  const token = path.at(-1)
  if (token !== undefined && isJsonObject(parent) && !Object.hasOwn(parent, token)) return null
  return valueAt(document, path)
}

function parentOf(document: unknown, path: readonly string[]): { parent: Parent; token: string } {
  const parent = valueAt(document, path.slice(0, -1))
  if (!Array.isArray(parent) && !isJsonObject(parent)) throw doesNotFit()
  return { parent, token: path.at(-1)! }
}

function added(document: unknown, path: readonly string[], value: unknown): unknown {
  if (path.length === 0) return value
  const { parent, token } = parentOf(document, path)
  if (Array.isArray(parent)) parent.splice(indexIn(parent, token, parent.length), 0, value)
  else setValue(parent, token, value)
  return document
}

function replaced(document: unknown, path: readonly string[], value: unknown): unknown {
  const { parent, token } = parentOf(document, path)
  if (Array.isArray(parent)) parent[Number(token)] = value
  else setValue(parent, token, value)
  return document
}

function removed(document: unknown, path: readonly string[]): unknown {
  if (path.length === 0) return null
  const { parent, token } = parentOf(document, path)
  childOf(parent, token)
  if (Array.isArray(parent)) parent.splice(Number(token), 1)
  else delete parent[token]
  return document
}

function doesNotFit(): StatusError {
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
    details: {},
  })
}

function tooLarge(operations: number): StatusError {
  return new StatusError({
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: `Request entity too large: The allowed maximum operations in a JSON patch is ${MOST_OPERATIONS}, got ${operations}`,
  })
}
