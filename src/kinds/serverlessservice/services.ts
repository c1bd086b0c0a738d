import type { Draft } from '../../apimachinery/object.js'
import type { Endpoints } from '../core/endpoints/schema.js'
import type { CoreService, ServicePort } from '../core/service/schema.js'
import { QUEUE_PORTS } from '../revision/queue-proxy.js'
import { SERVICE_TYPE_LABEL, SKS_LABEL } from '../serving-labels.js'
import { privateServiceName } from '../serving-names.js'
import { ACTIVATOR_ADDRESS, type ServerlessService } from './schema.js'

/**
 * The core Services of a ServerlessService: a public one whose Endpoints are written by hand, and a private one that
 * selects the Pods.
 *
 * @see knative/serving v1.23 pkg/reconciler/serverlessservice/resources/services.go
 */

type Subsets = NonNullable<Endpoints['subsets']>

const isH2c = ({ spec }: ServerlessService): boolean => spec.protocolType === 'h2c'

/** The port that requests come in by: its name says which protocol the application speaks. */
function mainPort(sks: ServerlessService, isPublic: boolean): ServicePort {
  return isH2c(sks)
    ? { name: 'http2', protocol: 'TCP', appProtocol: 'kubernetes.io/h2c', port: isPublic ? 81 : 80, targetPort: QUEUE_PORTS.h2c }
    : { name: 'http', protocol: 'TCP', port: 80, targetPort: QUEUE_PORTS.http1 }
}

const HTTPS: ServicePort = { name: 'https', protocol: 'TCP', port: 443, targetPort: QUEUE_PORTS.https }

function labelsFor({ metadata }: ServerlessService, type: 'Public' | 'Private'): Record<string, string> {
  return { ...metadata.labels, [SKS_LABEL]: metadata.name, [SERVICE_TYPE_LABEL]: type }
}

export function publicServiceFor(sks: ServerlessService): Draft<CoreService> & { metadata: { name: string } } {
  return {
    metadata: { name: sks.metadata.name, labels: labelsFor(sks, 'Public'), annotations: { ...sks.metadata.annotations } },
    spec: { type: 'ClusterIP', sessionAffinity: 'None', ports: [mainPort(sks, true), HTTPS] },
  }
}

export function privateServiceFor(
  sks: ServerlessService,
  selector: Readonly<Record<string, string>>,
): Draft<CoreService> & { metadata: { name: string } } {
  const port = (name: string, number: number): ServicePort => ({ name, protocol: 'TCP', port: number, targetPort: number })
  return {
    metadata: {
      name: privateServiceName(sks.metadata.name),
      labels: labelsFor(sks, 'Private'),
      annotations: { ...sks.metadata.annotations },
    },
    spec: {
      type: 'ClusterIP',
      sessionAffinity: 'None',
      selector: { ...selector },
      ports: [
        mainPort(sks, false),
        HTTPS,
        port('http-autometric', QUEUE_PORTS.autoscalerMetrics),
        port('http-usermetric', QUEUE_PORTS.userMetrics),
        isH2c(sks) ? port('http2-istio', QUEUE_PORTS.h2c) : port('http-istio', QUEUE_PORTS.http1),
      ],
    },
  }
}

export function publicEndpointsFor(sks: ServerlessService, subsets: Subsets): Draft<Endpoints> & { metadata: { name: string } } {
  return {
    metadata: { name: sks.metadata.name, labels: labelsFor(sks, 'Public'), annotations: { ...sks.metadata.annotations } },
    subsets,
  }
}

/** Subsets with the public Service's ports only. */
export function publicSubsets(sks: ServerlessService, subsets: Subsets): Subsets {
  const names = new Set([mainPort(sks, true).name, HTTPS.name])
  return subsets
    .map((subset) => ({ ...subset, ports: (subset.ports ?? []).filter(({ name }) => names.has(name)) }))
    .filter(({ ports }) => ports.length > 0)
}

/** The activator in place of Pods: it holds requests until there are some. */
export function activatorSubsets(sks: ServerlessService): Subsets {
  const main = mainPort(sks, true)
  const port = ({ name, protocol, appProtocol, targetPort }: ServicePort): NonNullable<Subsets[number]['ports']>[number] => ({
    ...(name && { name }),
    port: Number(targetPort),
    ...(protocol && { protocol }),
    ...(appProtocol && { appProtocol }),
  })
  return [{ addresses: [{ ip: ACTIVATOR_ADDRESS }], ports: [port(main), port(HTTPS)] }]
}
