import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

/** PEM texts of an instance's own authority and the two identities it vouches for. */
export interface InstanceCertificates {
  caCertificate: string
  serverCertificate: string
  serverKey: string
  clientCertificate: string
  clientKey: string
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const YEARS_VALID = 10
const DAY_MS = 86_400_000

/** Names under which clients on this machine, and Knative's own conventions, reach the API. */
const SERVER_NAMES = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local']
const SERVER_ADDRESSES = ['127.0.0.1', '::1']

/** A server's certificate and its key (PKCS #8), and the authority that signed it, all in PEM. */
export interface ServerCertificate {
  caCertificate: string
  certificate: string
  key: string
}

/**
 * Makes the certificates of a new instance: an authority whose key is thrown away at once, a server certificate for the
 * loopback names, and a client certificate of the administrator (group system:masters), as a cluster's admin.conf holds.
 */
export async function createCertificates(options: { instance: string; nowMs: number }): Promise<InstanceCertificates> {
  const { caCertificate, issue } = await createAuthority(`CN=kn-local ${options.instance}`, options.nowMs)
  const server = await issue('CN=kube-apiserver', serving({ names: SERVER_NAMES, addresses: SERVER_ADDRESSES }))
  const client = await issue('CN=kubernetes-admin,O=system:masters', [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
  ])
  return {
    caCertificate,
    serverCertificate: server.certificate,
    serverKey: server.key,
    clientCertificate: client.certificate,
    clientKey: client.key,
  }
}

/**
 * Certificates for servers inside the cluster, one for each list of host names, signed by an authority of their own, whose key is thrown
 * away at once: who is told to trust it trusts these servers and nobody else.
 */
export async function createServerCertificates(options: {
  authority: string
  servers: readonly (readonly [name: string, ...aliases: string[]])[]
  nowMs: number
}): Promise<ServerCertificate[]> {
  const { caCertificate, issue } = await createAuthority(`CN=${options.authority}`, options.nowMs)
  // A common name holds 64 characters; clients look at the names only.
  const issued = options.servers.map((names) => issue(`CN=${names[0].slice(0, 64)}`, serving({ names, addresses: [] })))
  return (await Promise.all(issued)).map((server) => ({ caCertificate, ...server }))
}

function serving({ names, addresses }: { names: readonly string[]; addresses: readonly string[] }): x509.Extension[] {
  return [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension([
      ...names.map((value) => ({ type: 'dns' as const, value })),
      ...addresses.map((value) => ({ type: 'ip' as const, value })),
    ]),
  ]
}

interface Authority {
  caCertificate: string
  issue(subject: string, extensions: readonly x509.Extension[]): Promise<{ certificate: string; key: string }>
}

async function createAuthority(name: string, nowMs: number): Promise<Authority> {
  const crypto = webcrypto
  x509.cryptoProvider.set(crypto as never)
  const notBefore = new Date(nowMs - DAY_MS)
  const notAfter = new Date(nowMs + YEARS_VALID * 365 * DAY_MS)
  const keys = () => crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>
  const pemOf = async (key: webcrypto.CryptoKey) => x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')

  const authorityKeys = await keys()
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name,
    notBefore,
    notAfter,
    signingAlgorithm: ALGORITHM,
    keys: authorityKeys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  })
  return {
    caCertificate: authority.toString('pem'),
    async issue(subject, extensions) {
      const pair = await keys()
      const certificate = await x509.X509CertificateGenerator.create({
        subject,
        issuer: authority.subject,
        notBefore,
        notAfter,
        signingAlgorithm: ALGORITHM,
        publicKey: pair.publicKey,
        signingKey: authorityKeys.privateKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          await x509.AuthorityKeyIdentifierExtension.create(authorityKeys.publicKey),
          ...extensions,
        ],
      })
      return { certificate: certificate.toString('pem'), key: await pemOf(pair.privateKey) }
    },
  }
}
