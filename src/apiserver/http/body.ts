import type { IncomingMessage } from 'node:http'
import type { PatchType } from '../../apimachinery/call.js'
import { refusals, StatusError } from '../../apimachinery/status-error.js'
import type { ExpectedType } from '../protobuf/decode.js'
import { type Decoded, decodeJson } from './json-text.js'
import { decodeYaml } from './yaml-text.js'

/** Largest body that is read (apiserver pkg/server/config.go, MaxRequestBodyBytes). */
export const BODY_BYTES = 3 * 1024 * 1024

/** So much more of a body that is too large is read and thrown away: a sender that is cut off in the middle never sees why. */
const DISCARDED_BYTES = 32 * 1024 * 1024

const PROTOBUF = 'application/vnd.kubernetes.protobuf'
const READABLE = ['application/json', 'application/yaml']
const PATCHES: readonly PatchType[] = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
]

/** A request's body, empty when it has none. Throws 413 beyond the limit and 415 for a compressed one. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') throw refusals.unsupportedMediaType(READABLE)
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > BODY_BYTES + DISCARDED_BYTES) throw tooLarge()
  if (announced === 0 && request.headers['transfer-encoding'] === undefined) return Buffer.alloc(0)
  const { chunks, size } = await readChunks(request, announced)
  if (size > BODY_BYTES) throw tooLarge()
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)
}

/** By its events and not by its iterator, which costs as much again as the rest of reading a small body. */
function readChunks(request: IncomingMessage, announced: number): Promise<{ chunks: Buffer[]; size: number }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const settle = (): void => {
      request.off('data', take).off('end', end).off('error', fail).off('close', breakOff)
    }
    const take = (chunk: Buffer): void => {
      size += chunk.length
      if (size > BODY_BYTES + DISCARDED_BYTES) {
        // What is left unread must not take the connection with it: the answer still has to go out.
        request.pause()
        fail(tooLarge())
      } else if (announced <= BODY_BYTES && size <= BODY_BYTES) chunks.push(chunk)
      else chunks.length = 0
    }
    const end = (): void => {
      settle()
      resolve({ chunks, size })
    }
    const fail = (error: Error): void => {
      settle()
      reject(error)
    }
    const breakOff = (): void => fail(new Error('the sender broke off'))
    request.on('data', take).on('end', end).on('error', fail).on('close', breakOff)
  })
}

/** What a request's body can be. */
export interface ExpectedBody {
  /** Whether it may be in protobuf: Kubernetes' own types only, as custom resources have no numbers for their fields. */
  protobuf: boolean
  /** What it is where it does not say; undefined where it has to. */
  type: ExpectedType | undefined
}

/**
 * Reads an object: JSON unless the request says YAML or protobuf, whose reader is loaded on first use. Throws 415 for anything else,
 * and for protobuf where that is not expected.
 */
export async function decodeObject(request: IncomingMessage, body: Buffer, expected: ExpectedBody): Promise<Decoded> {
  const type = mediaType(request)
  if (type === PROTOBUF && expected.protobuf) {
    const { decodeProtobuf } = await import('../protobuf/decode.js')
    return decodeProtobuf(body, expected.type)
  }
  switch (type) {
    case '':
    case '*/*':
    case 'application/json':
      return decodeJson(body.toString())
    case 'application/yaml':
      return decodeYaml(body.toString())
    default:
      throw refusals.unsupportedMediaType(expected.protobuf ? [...READABLE, PROTOBUF] : READABLE)
  }
}

/** Reads a patch by its own media types. Throws 415 for anything else. */
export async function decodePatch(request: IncomingMessage, body: Buffer): Promise<Decoded & { type: PatchType }> {
  const type = PATCHES.find((known) => known === mediaType(request))
  if (!type) throw refusals.unsupportedMediaType(PATCHES)
  const decoded = type === 'application/apply-patch+yaml' ? await decodeYaml(body.toString()) : decodeJson(body.toString())
  return { ...decoded, type }
}

function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase()
}

function tooLarge(): StatusError {
  return new StatusError({ code: 413, reason: 'RequestEntityTooLarge', message: `Request entity too large: limit is ${BODY_BYTES}` })
}
