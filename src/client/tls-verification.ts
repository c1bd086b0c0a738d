import { X509Certificate } from 'node:crypto'
import { checkServerIdentity } from 'node:tls'

/** Certificates of a PEM bundle. */
export function certificatesOf(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => new X509Certificate(block))
}

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const ANY_USAGE = '2.5.29.37.0'
/** DER of the extension's object identifier, 2.5.29.30. */
const NAME_CONSTRAINTS = Buffer.from('0603551d1e', 'hex')
/** DER of the signature algorithms that OpenSSL takes without question: RSA and ECDSA with SHA-256, 384 and 512, Ed25519. */
const SOUND_SIGNATURES = [
  '06092a864886f70d01010b',
  '06092a864886f70d01010c',
  '06092a864886f70d01010d',
  '06082a8648ce3d040302',
  '06082a8648ce3d040303',
  '06082a8648ce3d040304',
  '06032b6570',
].map((hex) => Buffer.from(hex, 'hex'))

/**
 * Whether the certificate that a server showed in a finished handshake is one for `host` that one of `roots` signed itself. Says yes only
 * to the plain case: no intermediates, in date, meant for servers, a sound signature and key, no name constraints. A no
 * means "let OpenSSL judge", never "untrusted".
 *
 * This exists because on Node 20 handing over any CA makes OpenSSL parse all of Node's own roots first, which costs as
 * much time as the whole rest of a small command. That the server holds the certificate's key was proven by the handshake.
 */
export function isPlainlyTrusted(
  leaf: X509Certificate | undefined,
  roots: readonly X509Certificate[],
  host: string,
  nowMs: number,
): boolean {
  if (!leaf || !isInDate(leaf, nowMs) || !isSound(leaf)) return false
  const usages = leaf.keyUsage
  if (usages && !usages.includes(SERVER_AUTH) && !usages.includes(ANY_USAGE)) return false
  const isSigned = roots.some(
    (root) =>
      root.ca && isInDate(root, nowMs) && !root.raw.includes(NAME_CONSTRAINTS) && leaf.checkIssued(root) && leaf.verify(root.publicKey),
  )
  return isSigned && checkServerIdentity(host, leaf.toLegacyObject()) === undefined
}

function isInDate(certificate: X509Certificate, nowMs: number): boolean {
  return Date.parse(certificate.validFrom) <= nowMs && nowMs <= Date.parse(certificate.validTo)
}

function isSound(leaf: X509Certificate): boolean {
  const { asymmetricKeyType, asymmetricKeyDetails } = leaf.publicKey
  if (asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) < 2048) return false
  return SOUND_SIGNATURES.some((identifier) => leaf.raw.includes(identifier))
}
