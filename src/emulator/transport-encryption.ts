import { X509Certificate } from 'node:crypto'
import { createRequire } from 'node:module'
import { createSecureContext, type SecureContext } from 'node:tls'
import { isAlreadyExists } from '../apimachinery/status-error.js'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Client } from '../client/client.js'
import type { Informer } from '../client/informer.js'
import type { Encryption } from '../eventing/encryption.js'
import type { ConfigMap } from '../kinds/core/configmap/schema.js'
import { secretKind } from '../kinds/core/secret/kind.js'
import type { Secret } from '../kinds/core/secret/schema.js'
import { FEATURES_CONFIG, type ReadConfigMap, transportEncryption } from '../kinds/eventing-config.js'
import { EVENTING_NAMESPACE } from '../kinds/eventing-labels.js'
import { AUTHORITY_KEY, TLS_SERVERS, type TlsServer } from '../kinds/eventing-tls.js'
import { serviceHost } from '../kinds/serving-names.js'
import { portHolder } from './ports.js'
import { programFile } from './programs.js'

export interface TransportEncryption extends Encryption {
  /** Makes what is missing, and listens, from now on. */
  start(listen: (port: number, contextFor: (serverName: string) => SecureContext | undefined) => Promise<unknown>): void
  stop(): void
}

export interface TransportEncryptionDeps {
  client: Client
  configMaps: Informer<ConfigMap>
  secrets: Informer<Secret>
  configMap: ReadConfigMap
  /** Where the servers listen with TLS, once there is a certificate. */
  port: number
  /** Names work that settling waits for. */
  busy(work: Promise<unknown>): void
  realClock: Clock
  log: Logger
}

/** Of ConfigMaps in the system namespace. @see knative/eventing v1.22 pkg/eventingtls/trust_bundle.go */
const TRUST_BUNDLE_LABEL = 'networking.knative.dev/trust-bundle'
/** Before a port that is taken is tried again, in real milliseconds. */
const LISTEN_AGAIN_MS = 5000

/** What this process shows as one of the servers. */
interface Shown {
  context: SecureContext
  /** Of its own Secret, and only where it has really signed the certificate. */
  authority: string | undefined
}

/**
 * TLS of Eventing's data plane. With transport-encryption on, each of its servers gets a Secret with a certificate, as cert-manager makes
 * them on a cluster; one that is there is left as it is, and what is written into it counts from the next handshake on. The first
 * certificate opens the listener.
 */
export function createTransportEncryption(deps: TransportEncryptionDeps): TransportEncryption {
  const { client, configMaps, secrets, configMap, realClock, busy, log } = deps
  const shown = new Map<string, Shown>()
  let bundles: readonly string[] = []
  let making: Promise<void> | undefined
  let isDue = false
  let isStopped = false
  let endings: (() => void)[] = []
  const mode = () => transportEncryption(configMap)

  const serverAt = (hostname: string): TlsServer | undefined =>
    TLS_SERVERS.find((server) => namesOf(server).includes(hostname.toLowerCase()))
  const shownAt = (hostname: string): Shown | undefined => shown.get((serverAt(hostname) ?? TLS_SERVERS[0]!).secret)

  const ensureSecrets = async (): Promise<void> => {
    const missing = TLS_SERVERS.filter(({ secret }) => !secrets.get({ namespace: EVENTING_NAMESPACE, name: secret }))
    if (missing.length === 0) return
    // Loaded only here: most instances never need it.
    const { createServerCertificates } = createRequire(import.meta.url)(
      programFile('certificates.cjs'),
    ) as typeof import('./certificates.js')
    const made = await createServerCertificates({ authority: 'knative-eventing', servers: missing.map(namesOf), nowMs: realClock.now() })
    for (const [index, { secret: name }] of missing.entries()) {
      const { caCertificate, certificate, key } = made[index]!
      const data = { [AUTHORITY_KEY]: base64(caCertificate), 'tls.crt': base64(certificate), 'tls.key': base64(key) }
      await client
        .create(secretKind, { metadata: { namespace: EVENTING_NAMESPACE, name }, type: 'kubernetes.io/tls', data })
        .catch((error: unknown) => {
          if (!isAlreadyExists(error)) throw error
        })
    }
  }

  /** One after the other: a change that comes meanwhile is looked at when this is done. */
  const catchUp = (): void => {
    isDue = true
    if (isStopped || making || mode() === 'disabled') return
    isDue = false
    making = ensureSecrets()
      .catch((error: unknown) => log.warn('a certificate of Eventing could not be made', { error }))
      .then(() => {
        making = undefined
        if (isDue) catchUp()
      })
    busy(making)
  }

  const note = ({ metadata, data }: Secret): void => {
    const server = TLS_SERVERS.find(({ secret }) => secret === metadata.name)
    if (metadata.namespace !== EVENTING_NAMESPACE || !server) return
    const [authority, cert, key] = [AUTHORITY_KEY, 'tls.crt', 'tls.key'].map((name) => data?.[name] && Buffer.from(data[name], 'base64'))
    if (!cert || !key) return
    try {
      const isSound = authority && vouchesFor(authority, cert, server)
      shown.set(server.secret, { context: createSecureContext({ cert, key }), authority: isSound ? authority.toString() : undefined })
    } catch (error) {
      // What it showed before stays in force.
      log.warn('a certificate of Eventing cannot be used', { secret: server.secret, error: (error as Error).message })
    }
  }

  const vouchesFor = (authority: Buffer, cert: Buffer, server: TlsServer): boolean => {
    const [signer, leaf] = [new X509Certificate(authority), new X509Certificate(cert)]
    const now = realClock.now()
    return (
      leaf.checkIssued(signer) &&
      leaf.verify(signer.publicKey) &&
      leaf.checkHost(namesOf(server)[0]) !== undefined &&
      [leaf, signer].every(({ validFrom, validTo }) => Date.parse(validFrom) <= now && now < Date.parse(validTo))
    )
  }

  const isBundle = ({ metadata }: ConfigMap): boolean =>
    metadata.namespace === EVENTING_NAMESPACE && metadata.labels?.[TRUST_BUNDLE_LABEL] === 'true'
  const gatherBundles = (): void => {
    bundles = configMaps
      .list(EVENTING_NAMESPACE)
      .filter(isBundle)
      .flatMap(({ data, binaryData }) => [
        ...Object.values(data ?? {}),
        ...Object.values(binaryData ?? {}).map((text) => Buffer.from(text, 'base64').toString()),
      ])
  }

  const listenWhenShown = (listen: (port: number) => Promise<unknown>): (() => void) => {
    let isListening = false
    return () => {
      if (isListening || shown.size === 0 || isStopped) return
      isListening = true
      const attempt = (): void => {
        if (isStopped) return
        const listening = listen(deps.port).then(
          () => log.info('listening with TLS', { port: deps.port }),
          async (error: unknown) => {
            const holder = await portHolder(deps.port)
            log.error('cannot listen with TLS', { port: deps.port, holder, error: (error as Error).message })
            if (!isStopped) endings.push(realClock.after(LISTEN_AGAIN_MS, attempt))
          },
        )
        busy(listening)
      }
      attempt()
    }
  }

  return {
    mode,
    trustBundles: () => bundles,
    vouches(hostname, caCerts) {
      const authority = serverAt(hostname) && shownAt(hostname)?.authority
      return authority !== undefined && authority.trim() === caCerts.trim()
    },
    start(listen) {
      const listenOnce = listenWhenShown((port) => listen(port, (serverName) => shownAt(serverName)?.context))
      endings = [
        secrets.onChange(({ type, object }) => {
          if (type !== 'DELETED') note(object)
          listenOnce()
          if (type === 'DELETED' && object.metadata.namespace === EVENTING_NAMESPACE) catchUp()
        }),
        configMaps.onChange(({ object, previous }) => {
          if (isBundle(object) || (previous && isBundle(previous))) gatherBundles()
          if (object.metadata.namespace === EVENTING_NAMESPACE && object.metadata.name === FEATURES_CONFIG) catchUp()
        }),
      ]
    },
    stop() {
      isStopped = true
      for (const end of endings) end()
    },
  }
}

/** The first is the one in addresses. */
function namesOf({ service }: TlsServer): [string, string] {
  return [serviceHost(service, EVENTING_NAMESPACE), `${service}.${EVENTING_NAMESPACE}.svc`]
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
