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

/**
 * Makes the certificates of a new instance: an authority whose key is thrown away at once, a server certificate for the
 * loopback names, and a client certificate of the administrator (group system:masters), as a cluster's admin.conf holds.
 */
export async function createCertificates(options: { instance: string; nowMs: number }): Promise<InstanceCertificates> {
  const crypto = webcrypto
  x509.cryptoProvider.set(crypto as never)
  const notBefore = new Date(options.nowMs - DAY_MS)
  const notAfter = new Date(options.nowMs + YEARS_VALID * 365 * DAY_MS)
  const keys = () => crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>
  const pemOf = async (key: webcrypto.CryptoKey) => x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')

  const authorityKeys = await keys()
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=kn-local ${options.instance}`,
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
  const issue = async (subject: string, extensions: x509.Extension[]) => {
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
  }

  const server = await issue('CN=kube-apiserver', [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension([
      ...SERVER_NAMES.map((value) => ({ type: 'dns' as const, value })),
      ...SERVER_ADDRESSES.map((value) => ({ type: 'ip' as const, value })),
    ]),
  ])
  const client = await issue('CN=kubernetes-admin,O=system:masters', [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
  ])

  return {
    caCertificate: authority.toString('pem'),
    serverCertificate: server.certificate,
    serverKey: server.key,
    clientCertificate: client.certificate,
    clientKey: client.key,
  }
}
