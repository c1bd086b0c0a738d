import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { ServedKind } from '../../../apimachinery/kind.js'
import { formatLabelSelector } from '../../../apimachinery/selectors.js'
import { fields, int32, intOrText, labelSelector, listOf, objectSchema, text, texts } from '../schema-parts.js'
import { type NetworkPolicy, networkPolicyKind } from './kind.js'

const peers = listOf(
  fields({ ipBlock: fields({ cidr: text, except: texts }, ['cidr']), namespaceSelector: labelSelector, podSelector: labelSelector }),
)
const ports = listOf(fields({ endPort: int32, port: intOrText, protocol: text }))
const POLICY_TYPES = ['Egress', 'Ingress']

/** Stored and shown: as on a cluster whose network does not enforce policies, nothing is cut off by it. */
export const networkPolicyServed: ServedKind<NetworkPolicy> = {
  kind: {
    ...networkPolicyKind,
    columns: [
      {
        name: 'Pod-Selector',
        type: 'string',
        cell: ({ spec }: NetworkPolicy) => formatLabelSelector(spec?.podSelector ?? {}) || '<none>',
      },
      { name: 'Age', type: 'string', cell: ({ metadata }: NetworkPolicy, nowMs) => age(metadata.creationTimestamp, nowMs) },
    ],
  },
  builtIn: true,
  unconditionalUpdate: true,
  schema: objectSchema('NetworkPolicy says who may speak to whom. It needs a network that enforces it.', {
    spec: fields({
      egress: listOf(fields({ ports, to: peers })),
      ingress: listOf(fields({ from: peers, ports })),
      podSelector: labelSelector,
      policyTypes: texts,
    }),
  }),
  defaults(policy) {
    policy.spec ??= {}
    policy.spec.podSelector ??= {}
    policy.spec.policyTypes ??= policy.spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress']
    for (const rule of [...(policy.spec.ingress ?? []), ...(policy.spec.egress ?? [])] as { ports?: { protocol?: string }[] }[])
      for (const port of rule.ports ?? []) port.protocol ??= 'TCP'
  },
  validate: ({ spec }) =>
    (spec?.policyTypes ?? []).flatMap((type, index) =>
      POLICY_TYPES.includes(type) ? [] : [causes.notSupported(`spec.policyTypes[${index}]`, type, POLICY_TYPES)],
    ),
}
