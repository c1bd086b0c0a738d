import type { Kind } from '../../../apimachinery/kind.js'
import type { KubeObject } from '../../../apimachinery/object.js'

export interface CertificateSigningRequest extends KubeObject {
  spec: {
    /** PEM in base64. */
    request: string
    signerName: string
    expirationSeconds?: number
    usages?: string[]
    username?: string
    uid?: string
    groups?: string[]
    extra?: Record<string, string[]>
  }
  status?: { certificate?: string; conditions?: { type: string; status: string; reason?: string; message?: string }[] }
}

export const certificateSigningRequestKind: Kind<CertificateSigningRequest> = {
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  singular: 'certificatesigningrequest',
  shortNames: ['csr'],
  namespaced: false,
  status: true,
}
