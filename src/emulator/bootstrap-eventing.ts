import type { Client } from '../client/client.js'
import { configMapKind } from '../kinds/core/configmap/kind.js'
import { endpointsKind } from '../kinds/core/endpoints/kind.js'
import { namespaceKind } from '../kinds/core/namespace/kind.js'
import { coreServiceKind } from '../kinds/core/service/kind.js'
import { serviceAccountKind } from '../kinds/core/serviceaccount/kind.js'
import { EVENTING_CONFIG } from '../kinds/eventing-config.js'
import { BROKER_FILTER_NAME, BROKER_INGRESS_NAME, EVENTING_NAMESPACE } from '../kinds/eventing-labels.js'
import { DISPATCHER_NAME } from '../kinds/inmemorychannel/schema.js'
import { REQUEST_REPLY_NAME } from '../kinds/requestreply/schema.js'
import { ensureWith } from './bootstrap.js'
import type { Ports } from './ports.js'

/** Whom Eventing's parts act as. */
const SERVICE_ACCOUNTS = [
  'eventing-controller',
  'eventing-webhook',
  'imc-controller',
  'imc-dispatcher',
  'job-sink',
  'mt-broker-filter',
  'mt-broker-ingress',
  'pingsource-mt-adapter',
  'request-reply',
]

/** What the data plane answers as; the parts of it are in this process, so their addresses are identities only. */
const DATA_PLANE = [BROKER_INGRESS_NAME, BROKER_FILTER_NAME, DISPATCHER_NAME, REQUEST_REPLY_NAME]
const DATA_PLANE_IP = '10.244.0.1'

/**
 * Eventing's namespace and what is in it after an installation. What the user changed since stays.
 * @param options.ports where Eventing's data plane listens on loopback: what its core Services point to.
 * @see knative/eventing v1.22 config/core, config/brokers/mt-channel-broker, config/channels/in-memory-channel
 */
export async function bootstrapEventing(options: {
  client: Client
  ports: Pick<Ports, 'clusterLocal' | 'clusterLocalTls'>
}): Promise<void> {
  const { client, ports } = options
  const ensure = ensureWith(client)
  const namespace = EVENTING_NAMESPACE
  await ensure(namespaceKind, { metadata: { name: namespace, labels: { 'app.kubernetes.io/name': 'knative-eventing' } } })
  await Promise.all([
    ...Object.entries(EVENTING_CONFIG).map(([name, data]) => ensure(configMapKind, { metadata: { name, namespace }, data })),
    ...SERVICE_ACCOUNTS.map((name) => ensure(serviceAccountKind, { metadata: { name, namespace } })),
    ...DATA_PLANE.map(async (name) => {
      const http = { name: 'http', protocol: 'TCP' }
      const https = { name: 'https', protocol: 'TCP' }
      await ensure(coreServiceKind, {
        metadata: { name, namespace },
        spec: {
          ports: [
            { ...http, port: 80, targetPort: ports.clusterLocal },
            { ...https, port: 443, targetPort: ports.clusterLocalTls },
          ],
        },
      })
      const subsets = [
        {
          addresses: [{ ip: DATA_PLANE_IP }],
          ports: [
            { ...http, port: ports.clusterLocal },
            { ...https, port: ports.clusterLocalTls },
          ],
        },
      ]
      await ensure(endpointsKind, { metadata: { name, namespace }, subsets })
    }),
  ])
}
