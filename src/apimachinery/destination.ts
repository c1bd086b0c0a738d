import { also, type FieldError, fieldError, findings, viaField } from './field-error.js'
import type { Schema } from './schema.js'

/** A reference to an object by kind and name, as Knative's kinds carry it. */
export interface KReference {
  kind: string
  /** Absent: that of the object that carries the reference. */
  namespace?: string
  name: string
  apiVersion?: string
  /** Alpha, behind the flag kreference-group: instead of apiVersion. */
  group?: string
  /** Alpha: which of the object's addresses, by its name. */
  address?: string
}

/** Where events are sent: an object that has an address, a URI, or a URI relative to such an address. */
export interface Destination {
  ref?: KReference
  uri?: string
  /** Authorities (PEM) to trust beside those of the address. */
  CACerts?: string
  /** OIDC audience, instead of that of the address. */
  audience?: string
}

/** One address of an object that receives events. */
export interface Addressable {
  name?: string
  url?: string
  CACerts?: string
  audience?: string
}

/** The part of a status by which an object can be a sink. `addresses` counts before `address`. */
export interface AddressStatus {
  address?: Addressable
  addresses?: Addressable[]
}

/** Which EventPolicies apply to an addressable. */
export interface AppliedEventPolicies {
  policies?: { apiVersion: string; name: string }[]
}

const stringSchema: Schema = { type: 'string' }

/** Plain literals, so that a bundler drops what a program does not use. */
export const kReferenceSchema: Schema = {
  type: 'object',
  properties: {
    address: { type: 'string', description: 'Which of the addresses, by its name.' },
    apiVersion: { type: 'string', description: 'API version of the referent.' },
    group: { type: 'string', description: 'Group of the API, without a version. Alpha.' },
    kind: { type: 'string', description: 'Kind of the referent.' },
    name: { type: 'string', description: 'Name of the referent.' },
    namespace: { type: 'string', description: 'Namespace of the referent; by default that of the object that holds this reference.' },
  },
}

export const destinationSchema: Schema = {
  type: 'object',
  properties: {
    CACerts: { type: 'string', description: 'Certificate authorities in PEM, trusted beside those of the address.' },
    audience: { type: 'string', description: 'OIDC audience of the sink, if it differs from that of the address.' },
    ref: { ...kReferenceSchema, description: 'An object that has an address.' },
    uri: { type: 'string', description: 'A URL with scheme and host, or, beside ref, one relative to its address.' },
  },
}

export const addressableSchema: Schema = {
  type: 'object',
  properties: { CACerts: stringSchema, audience: stringSchema, name: stringSchema, url: stringSchema },
}

/** Properties of the status of an addressable. */
export const addressStatusProperties: { readonly [name: string]: Schema } = {
  address: { ...addressableSchema, description: 'Where the object receives events.' },
  addresses: { type: 'array', items: addressableSchema, description: 'All places where the object receives events.' },
}

export const appliedPoliciesProperties: { readonly [name: string]: Schema } = {
  policies: {
    description: 'The EventPolicies that apply and are ready.',
    type: 'array',
    items: { type: 'object', properties: { apiVersion: stringSchema, name: stringSchema } },
  },
}

/** Fills in the namespace of a reference, in place. */
export function defaultReference(reference: KReference | undefined, namespace: string | undefined): void {
  if (reference && !reference.namespace && namespace) reference.namespace = namespace
}

/** Fills in the namespace of a destination's reference, in place. */
export function defaultDestination(destination: Destination | undefined, namespace: string | undefined): void {
  defaultReference(destination?.ref, namespace)
}

export interface ReferenceRules {
  /** The flag kreference-group. */
  allowsGroup?: boolean
  /** Given: the reference has to stay in this namespace. */
  parentNamespace?: string | undefined
}

/**
 * What is wrong with a reference; paths are relative to it.
 * @see knative.dev/pkg apis/duck/v1/knative_reference.go
 */
export function validateReference(reference: Partial<KReference> | undefined, rules: ReferenceRules = {}): FieldError | undefined {
  const { name, apiVersion, kind, group, namespace } = reference ?? {}
  const { allowsGroup, parentNamespace } = rules
  return also(
    name ? undefined : findings.missingField('name'),
    allowsGroup && reference ? groupProblem(apiVersion, group) : versionProblem(apiVersion, group),
    kind ? undefined : findings.missingField('kind'),
    namespace && parentNamespace && namespace !== parentNamespace
      ? fieldError(
          'mismatched namespaces',
          'namespace',
          `parent namespace: ${JSON.stringify(parentNamespace)} does not match ref: ${JSON.stringify(namespace)}`,
        )
      : undefined,
  )
}

function versionProblem(apiVersion: string | undefined, group: string | undefined): FieldError | undefined {
  return also(group ? findings.disallowedFields('group') : undefined, apiVersion ? undefined : findings.missingField('apiVersion'))
}

function groupProblem(apiVersion: string | undefined, group: string | undefined): FieldError | undefined {
  if (!apiVersion && !group) return findings.missingField('apiVersion', 'group')
  if (!apiVersion || !group) return undefined
  return fieldError('both apiVersion and group are specified', ['apiVersion', 'group'], 'Only one of them must be specified')
}

/**
 * What is wrong with a destination; paths are relative to it. A reference beside a relative URI is not looked at, as there.
 * @see knative.dev/pkg apis/duck/v1/destination.go
 */
export function validateDestination(destination: Destination | undefined, rules: ReferenceRules = {}): FieldError | undefined {
  const { ref, uri, CACerts } = destination ?? {}
  if (!ref && uri === undefined) return fieldError('expected at least one, got none', ['ref', 'uri'])
  if (ref && uri !== undefined && schemeOf(uri) !== '')
    return fieldError('Absolute URI is not allowed when Ref or [apiVersion, kind, name] is present', [
      '[apiVersion, kind, name]',
      'ref',
      'uri',
    ])
  if (!ref && !isAbsoluteUri(uri!))
    return findings.invalidValue('Relative URI is not allowed when Ref and [apiVersion, kind, name] is absent', 'uri')
  if (ref && uri === undefined) {
    const problem = viaField('ref', validateReference(ref, rules))
    if (problem) return problem
  }
  return CACerts === undefined ? undefined : certificateProblem(CACerts)
}

function certificateProblem(pem: string): FieldError | undefined {
  const block = /-----BEGIN ([^\n-]+)-----\s([\s\S]*?)-----END \1-----/.exec(pem)
  if (!block) return findings.invalidValue('CA Cert provided is invalid', 'caCert')
  if (block[1] !== 'CERTIFICATE') return findings.invalidValue('CA Cert provided is not a certificate', 'caCert')
  return isDerSequence(block[2]!) ? undefined : findings.invalidValue('CA Cert provided is invalid', 'caCert')
}

/** Whether base64 text holds one ASN.1 sequence, as every certificate is. Looking further takes a library that commands need not load. */
function isDerSequence(base64: string): boolean {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length < 2 || bytes[0] !== 0x30) return false
  const lengthBytes = bytes[1]! > 0x80 ? bytes[1]! - 0x80 : 0
  if (lengthBytes > 4 || bytes.length < 2 + lengthBytes) return false
  const contentBytes = lengthBytes === 0 ? bytes[1]! : bytes.readUIntBE(2, lengthBytes)
  return contentBytes > 0 && bytes.length === 2 + lengthBytes + contentBytes
}

/** The scheme of a URI in lower case; '' for a relative one. */
export function schemeOf(uri: string): string {
  return (/^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(uri)?.[1] ?? '').toLowerCase()
}

/** Host and port of a URI, without user information; '' when it names none. */
export function hostOf(uri: string): string {
  const authority = /^(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?\/\/([^/?#]*)/.exec(uri)?.[1] ?? ''
  return authority.slice(authority.lastIndexOf('@') + 1)
}

/** Whether a URI has both a scheme and a host, which is all that Knative asks of a sink. */
export function isAbsoluteUri(uri: string): boolean {
  return schemeOf(uri) !== '' && hostOf(uri) !== ''
}
