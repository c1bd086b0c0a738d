import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

/** JSON Web Tokens with one ES256 key, as far as ServiceAccount tokens need them (RFC 7515, RFC 7518 section 3.4). */
export interface JwtKey {
  sign(claims: object): string
  /** The claims of a token that this key signed; undefined for any other text. Says nothing about time or audience. */
  verify(token: string): Record<string, unknown> | undefined
  /** The public half as a JSON Web Key (RFC 7517). */
  publicJwk(): Record<string, string>
}

const ALGORITHM = 'ES256'

/** `pem`: a P-256 private key in PKCS #8. It is parsed when it is first used; throws then what Node throws for a bad one. */
export function createJwtKey(pem: string): JwtKey {
  let known: { privateKey: KeyObject; publicKey: KeyObject; id: string } | undefined
  const keys = (): NonNullable<typeof known> => {
    if (known) return known
    const privateKey = createPrivateKey(pem)
    const publicKey = createPublicKey(privateKey)
    const id = createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64url')
    known = { privateKey, publicKey, id }
    return known
  }
  // JWS wants the two numbers of a signature one after the other, not in ASN.1.
  const dsaEncoding = 'ieee-p1363'

  return {
    sign(claims) {
      const { privateKey, id } = keys()
      const signed = `${encoded({ alg: ALGORITHM, kid: id })}.${encoded(claims)}`
      return `${signed}.${sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding }).toString('base64url')}`
    },
    verify(token) {
      const [head, body, signature, ...rest] = token.split('.')
      if (!head || !body || !signature || rest.length > 0) return undefined
      const { publicKey, id } = keys()
      const header = decoded(head)
      if (header?.['alg'] !== ALGORITHM || header['kid'] !== id) return undefined
      const isOurs = verify('sha256', Buffer.from(`${head}.${body}`), { key: publicKey, dsaEncoding }, Buffer.from(signature, 'base64url'))
      return isOurs ? decoded(body) : undefined
    },
    publicJwk() {
      const { publicKey, id } = keys()
      const { kty, crv, x, y } = publicKey.export({ format: 'jwk' }) as Record<string, string>
      return { use: 'sig', kty: kty!, kid: id, crv: crv!, alg: ALGORITHM, x: x!, y: y! }
    },
  }
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decoded(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
