import type { Addressable, AddressStatus } from '../apimachinery/destination.js'
import type { ReconcilerDeps, Wake } from '../controller/reconcile.js'
import { secretKind } from './core/secret/kind.js'
import { transportEncryption } from './eventing-config.js'
import { BROKER_FILTER_NAME, BROKER_INGRESS_NAME, EVENTING_NAMESPACE } from './eventing-labels.js'
import { DISPATCHER_NAME } from './inmemorychannel/schema.js'
import { REQUEST_REPLY_NAME } from './requestreply/schema.js'

/** What transport-encryption makes of addresses, and where the certificates of the data plane are. */

/** A server of the data plane: its core Service, and the Secret with its certificate, both in the system namespace. */
export interface TlsServer {
  readonly service: string
  readonly secret: string
}

/** @see knative/eventing v1.22 pkg/eventingtls/eventingtls.go */
export const BROKER_INGRESS_TLS: TlsServer = { service: BROKER_INGRESS_NAME, secret: 'mt-broker-ingress-server-tls' }
export const BROKER_FILTER_TLS: TlsServer = { service: BROKER_FILTER_NAME, secret: 'mt-broker-filter-server-tls' }
export const DISPATCHER_TLS: TlsServer = { service: DISPATCHER_NAME, secret: 'imc-dispatcher-server-tls' }
export const REQUEST_REPLY_TLS: TlsServer = { service: REQUEST_REPLY_NAME, secret: 'request-reply-server-tls' }

/** All of them; the first answers clients that name no host in their handshake. */
export const TLS_SERVERS: readonly TlsServer[] = [BROKER_INGRESS_TLS, BROKER_FILTER_TLS, DISPATCHER_TLS, REQUEST_REPLY_TLS]

/** The authority that signed a server's certificate, in its Secret beside `tls.crt` and `tls.key`. */
export const AUTHORITY_KEY = 'ca.crt'

type Deps = Pick<ReconcilerDeps, 'configMap' | 'informer'>

/** Wakes everything when the certificate of a server comes, changes or goes. */
export function wokenByCertificate({ secret }: TlsServer): Wake {
  return {
    kind: secretKind,
    wakes: ({ metadata }, all) =>
      metadata.namespace === EVENTING_NAMESPACE && metadata.name === secret ? all.list().map((object) => object.metadata) : [],
  }
}

/**
 * Whom clients of a server have to trust: PEM, or undefined where its Secret names nobody, which leaves it to trust bundles.
 * @see knative/eventing v1.22 pkg/reconciler/broker/broker.go, getCaCerts
 */
export function authorityOf(
  { secret }: TlsServer,
  { informer }: Pick<Deps, 'informer'>,
): { CACerts: string | undefined; problem?: undefined } | { problem: string } {
  const found = informer(secretKind).get({ namespace: EVENTING_NAMESPACE, name: secret })
  if (!found) return { problem: `failed to get CA certs from ${EVENTING_NAMESPACE}/${secret}: secret ${JSON.stringify(secret)} not found` }
  const encoded = found.data?.[AUTHORITY_KEY]
  return { CACerts: encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString() }
}

/**
 * Writes where an object receives events into its status, as transport-encryption is now. Returns what went wrong: the status is
 * then as it was.
 * @see knative/eventing v1.22 pkg/reconciler/broker/broker.go, ReconcileKind
 */
export function setAddresses(
  status: AddressStatus,
  { http, https, server, audience }: { http: string; https: string; server: TlsServer; audience: string | undefined },
  deps: Deps,
): string | undefined {
  const shown = audience === undefined ? {} : { audience }
  const plain: Addressable = { name: 'http', url: http, ...shown }
  const mode = transportEncryption(deps.configMap)
  if (mode === 'disabled') {
    status.address = plain
    delete status.addresses
    return undefined
  }
  const authority = authorityOf(server, deps)
  if (authority.problem !== undefined) return authority.problem
  const { CACerts } = authority
  const secure: Addressable = { name: 'https', url: https, ...(CACerts && { CACerts }), ...shown }
  status.address = mode === 'strict' ? secure : plain
  status.addresses = mode === 'strict' ? [secure] : [secure, plain]
  return undefined
}
