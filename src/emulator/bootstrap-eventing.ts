import type { Client } from '../client/client.js'
import { configMapKind } from '../kinds/core/configmap/kind.js'
import { endpointsKind } from '../kinds/core/endpoints/kind.js'
import { namespaceKind } from '../kinds/core/namespace/kind.js'
import { coreServiceKind } from '../kinds/core/service/kind.js'
import { serviceAccountKind } from '../kinds/core/serviceaccount/kind.js'
import { EVENTING_CONFIG } from '../kinds/eventing-config.js'
import { BROKER_FILTER_NAME, BROKER_INGRESS_NAME, EVENTING_NAMESPACE } from '../kinds/eventing-labels.js'
import { DISPATCHER_NAME } from '../kinds/inmemorychannel/schema.js'
import { ensureWith } from './bootstrap.js'

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
]

/** What the data plane answers as; the parts of it are in this process, so their addresses are identities only. */
const DATA_PLANE = [BROKER_INGRESS_NAME, BROKER_FILTER_NAME, DISPATCHER_NAME]
const DATA_PLANE_IP = '10.244.0.1'

/**
 * Eventing's namespace and what is in it after an installation. What the user changed since stays.
 * @param options.clusterLocalPort where Eventing's data plane listens on loopback: what its core Services point to.
 * @see knative/eventing v1.22 config/core, config/brokers/mt-channel-broker, config/channels/in-memory-channel
 */
export async function bootstrapEventing({ client, clusterLocalPort }: { client: Client; clusterLocalPort: number }): Promise<void> {
  const ensure = ensureWith(client)
  const namespace = EVENTING_NAMESPACE
  await ensure(namespaceKind, { metadata: { name: namespace, labels: { 'app.kubernetes.io/name': 'knative-eventing' } } })
  await Promise.all([
    ...Object.entries(EVENTING_CONFIG).map(([name, data]) => ensure(configMapKind, { metadata: { name, namespace }, data })),
    ...SERVICE_ACCOUNTS.map((name) => ensure(serviceAccountKind, { metadata: { name, namespace } })),
    ...DATA_PLANE.map(async (name) => {
      const port = { name: 'http', protocol: 'TCP' }
      await ensure(coreServiceKind, {
        metadata: { name, namespace },
        spec: { ports: [{ ...port, port: 80, targetPort: clusterLocalPort }] },
      })
      const subsets = [{ addresses: [{ ip: DATA_PLANE_IP }], ports: [{ ...port, port: clusterLocalPort }] }]
      await ensure(endpointsKind, { metadata: { name, namespace }, subsets })
    }),
  ])
}
