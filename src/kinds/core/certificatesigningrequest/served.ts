import { age, humanDuration } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import { isSameJson } from '../../../controller/same-json.js'
import { conditions, fields, int32, objectSchema, text, texts } from '../schema-parts.js'
import { type CertificateSigningRequest, certificateSigningRequestKind } from './kind.js'

const columns: readonly Column[] = [
  { name: 'Age', type: 'string', cell: ({ metadata }: CertificateSigningRequest, nowMs) => age(metadata.creationTimestamp, nowMs) },
  { name: 'SignerName', type: 'string', cell: ({ spec }: CertificateSigningRequest) => spec.signerName },
  { name: 'Requestor', type: 'string', cell: ({ spec }: CertificateSigningRequest) => spec.username ?? '' },
  {
    name: 'RequestedDuration',
    type: 'string',
    cell: ({ spec }: CertificateSigningRequest) =>
      spec.expirationSeconds === undefined ? '<none>' : humanDuration(spec.expirationSeconds * 1000),
  },
  { name: 'Condition', type: 'string', cell: conditionText },
]

/** Requests for certificates. Nobody signs them here: they stay Pending until someone writes their status. */
export const certificateSigningRequestServed: ServedKind<CertificateSigningRequest> = {
  kind: { ...certificateSigningRequestKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  generation: false,
  schema: objectSchema(
    'CertificateSigningRequest asks for a certificate.',
    {
      spec: fields(
        {
          expirationSeconds: int32,
          extra: { type: 'object', additionalProperties: texts },
          groups: texts,
          request: { type: 'string', format: 'byte' },
          signerName: text,
          uid: text,
          usages: texts,
          username: text,
        },
        ['request', 'signerName'],
      ),
      status: fields({ certificate: { type: 'string', format: 'byte' }, conditions }),
    },
    ['spec'],
  ),
  /** Who asks is the server's to say. */
  defaults(request, { operation, user }) {
    if (operation !== 'CREATE') return
    const { username: _username, uid: _uid, groups: _groups, extra: _extra, ...spec } = request.spec
    request.spec = {
      ...spec,
      username: user.name,
      groups: [...user.groups],
      ...(user.uid && { uid: user.uid }),
      ...(user.extra && { extra: Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]])) }),
    }
  },
  validate({ spec }, { old }) {
    if (old) return isSameJson(spec, old.spec) ? [] : [causes.invalid('spec', null, 'field is immutable')]
    const pem = Buffer.from(spec.request, 'base64').toString()
    return [
      ...(pem.includes('-----BEGIN CERTIFICATE REQUEST-----') || pem.includes('-----BEGIN NEW CERTIFICATE REQUEST-----')
        ? []
        : [causes.invalid('spec.request', spec.request, 'PEM block type must be CERTIFICATE REQUEST')]),
      ...(spec.usages?.length ? [] : [causes.required('spec.usages')]),
      ...(spec.signerName.includes('/')
        ? []
        : [
            causes.invalid(
              'spec.signerName',
              spec.signerName,
              'must be a fully qualified domain and path of the form "example.com/signer-name"',
            ),
          ]),
    ]
  },
}

/** @see kubernetes/kubernetes v1.35 pkg/printers/internalversion/printers.go, extractCSRStatus */
function conditionText({ status }: CertificateSigningRequest): string {
  const is = (type: string): boolean => status?.conditions?.some((condition) => condition.type === type) ?? false
  const parts = [is('Denied') ? 'Denied' : is('Approved') ? 'Approved' : 'Pending']
  if (is('Failed')) parts.push('Failed')
  if (status?.certificate) parts.push('Issued')
  return parts.join(',')
}
