import { type CipherGCMTypes, createCipheriv, createDecipheriv } from 'node:crypto'
import type { Random } from '../base/random.js'
import type { Informer } from '../client/informer.js'
import type { CesqlFunctions } from '../cloudevents/cesql.js'
import type { Secret } from '../kinds/core/secret/schema.js'
import { keysIn } from '../kinds/requestreply/schema.js'

/** Of AES in Galois/counter mode, in bytes, as Go's crypto/cipher has them. */
const NONCE_BYTES = 12
const TAG_BYTES = 16
const CIPHERS: ReadonlyMap<number, CipherGCMTypes> = new Map([
  [16, 'aes-128-gcm'],
  [24, 'aes-192-gcm'],
  [32, 'aes-256-gcm'],
])
const SYSTEM_NAMESPACE = 'knative-eventing'

/**
 * What a request carries and its reply gives back: `ID:SEALED:INDEX`, the event's id, the same encrypted, and which replica of the data plane
 * holds the request. Undefined for a key that AES does not have.
 * @see knative/eventing v1.22 pkg/requestreply/correlation_id.go, SetCorrelationId
 */
export function correlationId(eventId: string, key: Buffer, index: number, random: Random): string | undefined {
  const cipherName = CIPHERS.get(key.length)
  if (!cipherName) return undefined
  const nonce = random.bytes(NONCE_BYTES)
  const cipher = createCipheriv(cipherName, key, nonce, { authTagLength: TAG_BYTES })
  const sealed = Buffer.concat([nonce, cipher.update(eventId, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return `${eventId}:${paddedUrlText(sealed)}:${index}`
}

/**
 * Whether a text was made by `correlationId` with this key. An id with a colon in it makes a text that never is, as in Knative.
 * @see knative/eventing v1.22 pkg/requestreply/correlation_id.go, VerifyReplyId
 */
export function isCorrelationId(text: string, key: Buffer): boolean {
  const [id, sealedText = '', , ...rest] = text.split(':')
  if (rest.length > 0 || text.split(':').length !== 3) return false
  const sealed = bytesOfPaddedUrlText(sealedText)
  const cipherName = CIPHERS.get(key.length)
  if (!sealed || !cipherName || sealed.length < NONCE_BYTES + TAG_BYTES) return false
  const tagAt = sealed.length - TAG_BYTES
  const decipher = createDecipheriv(cipherName, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAuthTag(sealed.subarray(tagAt))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, tagAt)), decipher.final()]).toString() === id
  } catch {
    // Sealed with another key, or tampered with.
    return false
  }
}

/**
 * `KN_VERIFY_CORRELATION_ID(id, name, namespace, secret, index, replicas)`: whether a reply answers a request that this replica of the data
 * plane has sent for that RequestReply. Asks for the keys at every call, so that a new one counts at once and a removed one no longer.
 * @see knative/eventing v1.22 pkg/requestreply/cesql.go
 */
export function correlationFunctions(secrets: Pick<Informer<Secret>, 'get'>): CesqlFunctions {
  return new Map([
    [
      'KN_VERIFY_CORRELATION_ID',
      [
        {
          parameters: ['String', 'String', 'String', 'String', 'Integer', 'Integer'],
          returns: 'Boolean',
          run(run, args) {
            const [id, name, namespace, secret, index, replicas] = args as [string, string, string, string, number, number]
            const parts = id.split(':')
            if (parts.length !== 3 || !isIndex(parts[2]!)) return false
            if (replicas === 0) {
              run.errors ??= []
              run.errors.push({ kind: 'functionEvaluation', message: 'KN_VERIFY_CORRELATION_ID of 0 replicas', crash: true })
              return false
            }
            // Adding 0 turns -0 into 0.
            if ((Number(parts[2]) % replicas) + 0 !== index) return false
            const data = secrets.get({ namespace: SYSTEM_NAMESPACE, name: secret })?.data
            return keysIn(data, { namespace, name }).some((key) => isCorrelationId(id, key))
          },
        },
      ],
    ],
  ])
}

/** As Go's strconv.ParseInt reads one in 32 bits. */
function isIndex(text: string): boolean {
  return /^[+-]?[0-9]+$/.test(text) && Number(text) === (Number(text) | 0)
}

/** Base64 for URLs with its padding, as Go's base64.URLEncoding has it; Node's leaves that out. */
function paddedUrlText(bytes: Buffer): string {
  const text = bytes.toString('base64url')
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

function bytesOfPaddedUrlText(text: string): Buffer | undefined {
  return text.length % 4 === 0 && /^[A-Za-z0-9_-]*={0,2}$/.test(text) ? Buffer.from(text, 'base64url') : undefined
}
