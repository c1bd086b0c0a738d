import { type PolicyRule, RBAC_GROUP, type Subject } from '../apimachinery/rbac.js'

/** The ClusterRoles of a new cluster with Knative, and whom they are given to. Data; bootstrap-roles.ts writes them. */

export interface DefaultRole {
  name: string
  labels: Readonly<Record<string, string>>
  rules: readonly PolicyRule[]
  /** Takes its rules from the roles that carry this label. */
  aggregates?: string
}

export interface DefaultBinding {
  /** Of the binding and of its role. */
  name: string
  subjects: readonly Subject[]
}

const ALL = '*'
const READ = ['get', 'list', 'watch'] as const
const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update'] as const
const BOTH = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] as const

const on = (verbs: readonly string[], apiGroup: string, ...resources: string[]): PolicyRule => ({ apiGroups: [apiGroup], resources, verbs })
const at = (...nonResourceURLs: string[]): PolicyRule => ({ nonResourceURLs, verbs: ['get'] })
const aggregateTo = (role: string): string => `rbac.authorization.k8s.io/aggregate-to-${role}`
const gives = (role: string): Record<string, string> => ({ [aggregateTo(role)]: 'true' })
const group = (name: string): Subject => ({ apiGroup: RBAC_GROUP, kind: 'Group', name })

const ofKubernetes = (name: string, rules: readonly PolicyRule[], labels: Record<string, string> = {}): DefaultRole => ({
  name,
  rules,
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
})
const aggregated = (name: string, labels: Record<string, string> = {}): DefaultRole => ({
  ...ofKubernetes(name, [], labels),
  aggregates: aggregateTo(name),
})

/** @see kubernetes/kubernetes v1.35 plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go */
const KUBERNETES_ROLES: readonly DefaultRole[] = [
  ofKubernetes('cluster-admin', [on([ALL], ALL, ALL), { nonResourceURLs: [ALL], verbs: [ALL] }]),
  ofKubernetes('system:discovery', [
    at('/api', '/api/*', '/apis', '/apis/*', '/healthz', '/livez', '/openapi', '/openapi/*', '/readyz', '/version', '/version/'),
  ]),
  ofKubernetes('system:basic-user', [
    on(['create'], 'authorization.k8s.io', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews'),
    on(['create'], 'authentication.k8s.io', 'selfsubjectreviews'),
  ]),
  ofKubernetes('system:public-info-viewer', [at('/healthz', '/livez', '/readyz', '/version', '/version/')]),
  ofKubernetes('system:monitoring', [
    at('/healthz', '/healthz/*', '/livez', '/livez/*', '/metrics', '/metrics/slis', '/readyz', '/readyz/*'),
  ]),
  ofKubernetes('system:service-account-issuer-discovery', [
    at('/.well-known/openid-configuration', '/.well-known/openid-configuration/', '/openid/v1/jwks', '/openid/v1/jwks/'),
  ]),
  ofKubernetes('system:auth-delegator', [
    on(['create'], 'authentication.k8s.io', 'tokenreviews'),
    on(['create'], 'authorization.k8s.io', 'subjectaccessreviews'),
  ]),
  aggregated('admin'),
  aggregated('edit', gives('admin')),
  aggregated('view', gives('edit')),
  ofKubernetes(
    'system:aggregate-to-admin',
    [on(['create'], 'authorization.k8s.io', 'localsubjectaccessreviews'), on(BOTH, RBAC_GROUP, 'roles', 'rolebindings')],
    gives('admin'),
  ),
  ofKubernetes(
    'system:aggregate-to-edit',
    [
      on(READ, '', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'secrets', 'services/proxy'),
      on(['impersonate'], '', 'serviceaccounts'),
      on(WRITE, '', 'pods', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy'),
      on(['create'], '', 'pods/eviction'),
      on(
        WRITE,
        '',
        'configmaps',
        'events',
        'persistentvolumeclaims',
        'replicationcontrollers',
        'replicationcontrollers/scale',
        'secrets',
        'serviceaccounts',
        'services',
        'services/proxy',
      ),
      on(['create'], '', 'serviceaccounts/token'),
      on(
        WRITE,
        'apps',
        'daemonsets',
        'deployments',
        'deployments/rollback',
        'deployments/scale',
        'replicasets',
        'replicasets/scale',
        'statefulsets',
        'statefulsets/scale',
      ),
      on(WRITE, 'autoscaling', 'horizontalpodautoscalers'),
      on(WRITE, 'batch', 'cronjobs', 'jobs'),
      on(WRITE, 'policy', 'poddisruptionbudgets'),
      on(WRITE, 'networking.k8s.io', 'ingresses', 'networkpolicies'),
      on(BOTH, 'coordination.k8s.io', 'leases'),
    ],
    gives('edit'),
  ),
  ofKubernetes(
    'system:aggregate-to-view',
    [
      on(
        READ,
        '',
        'configmaps',
        'endpoints',
        'persistentvolumeclaims',
        'persistentvolumeclaims/status',
        'pods',
        'replicationcontrollers',
        'replicationcontrollers/scale',
        'serviceaccounts',
        'services',
        'services/status',
      ),
      on(
        READ,
        '',
        'bindings',
        'events',
        'limitranges',
        'namespaces/status',
        'pods/log',
        'pods/status',
        'replicationcontrollers/status',
        'resourcequotas',
        'resourcequotas/status',
      ),
      on(READ, '', 'namespaces'),
      on(READ, 'discovery.k8s.io', 'endpointslices'),
      on(
        READ,
        'apps',
        'controllerrevisions',
        'daemonsets',
        'daemonsets/status',
        'deployments',
        'deployments/scale',
        'deployments/status',
        'replicasets',
        'replicasets/scale',
        'replicasets/status',
        'statefulsets',
        'statefulsets/scale',
        'statefulsets/status',
      ),
      on(READ, 'autoscaling', 'horizontalpodautoscalers', 'horizontalpodautoscalers/status'),
      on(READ, 'batch', 'cronjobs', 'cronjobs/status', 'jobs', 'jobs/status'),
      on(READ, 'policy', 'poddisruptionbudgets', 'poddisruptionbudgets/status'),
      on(READ, 'networking.k8s.io', 'ingresses', 'ingresses/status', 'networkpolicies'),
    ],
    gives('view'),
  ),
]

const KNATIVE_INTERNALS = ['networking.internal.knative.dev', 'autoscaling.internal.knative.dev', 'caching.internal.knative.dev']
const ofServing = (name: string, role: string, rules: readonly PolicyRule[]): DefaultRole => ({
  name,
  rules,
  labels: { 'app.kubernetes.io/name': 'knative-serving', 'app.kubernetes.io/version': '1.23.0', ...gives(role) },
})

/** @see knative/serving v1.23 config/core/200-roles/clusterrole-namespaced.yaml */
const KNATIVE_ROLES: readonly DefaultRole[] = [
  ofServing('knative-serving-namespaced-admin', 'admin', [
    on([ALL], 'serving.knative.dev', ALL),
    { apiGroups: KNATIVE_INTERNALS, resources: [ALL], verbs: READ },
  ]),
  ofServing('knative-serving-namespaced-edit', 'edit', [
    on(['create', 'update', 'patch', 'delete'], 'serving.knative.dev', ALL),
    { apiGroups: KNATIVE_INTERNALS, resources: [ALL], verbs: READ },
  ]),
  ofServing('knative-serving-namespaced-view', 'view', [
    { apiGroups: ['serving.knative.dev', ...KNATIVE_INTERNALS], resources: [ALL], verbs: READ },
  ]),
]

const ofEventing = (name: string, rules: readonly PolicyRule[], labels: Record<string, string>): DefaultRole => ({
  name,
  rules,
  labels: { 'app.kubernetes.io/name': 'knative-eventing', 'app.kubernetes.io/version': '1.22.0', ...labels },
})
const duck = (name: string): Record<string, string> => ({ [`duck.knative.dev/${name}`]: 'true' })
const collected = (name: string, type: string): DefaultRole => ({ ...ofEventing(name, [], {}), aggregates: `duck.knative.dev/${type}` })
const MANIPULATE = ['create', 'get', 'list', 'watch', 'patch', 'update', 'delete'] as const
const SOURCES = ['apiserversources', 'containersources', 'pingsources', 'sinkbindings', 'integrationsources']

/** @see knative/eventing v1.22 config/core/roles */
const EVENTING_ROLES: readonly DefaultRole[] = [
  collected('addressable-resolver', 'addressable'),
  ofEventing('service-addressable-resolver', [on(READ, '', 'services')], duck('addressable')),
  ofEventing(
    'serving-addressable-resolver',
    [on(READ, 'serving.knative.dev', 'routes', 'routes/status', 'services', 'services/status')],
    duck('addressable'),
  ),
  ofEventing(
    'channel-addressable-resolver',
    [on(READ, 'messaging.knative.dev', 'channels', 'channels/status', 'inmemorychannels', 'inmemorychannels/status')],
    duck('addressable'),
  ),
  ofEventing('broker-addressable-resolver', [on(READ, 'eventing.knative.dev', 'brokers', 'brokers/status')], duck('addressable')),
  ofEventing(
    'flows-addressable-resolver',
    [on(READ, 'flows.knative.dev', 'sequences', 'sequences/status', 'parallels', 'parallels/status')],
    duck('addressable'),
  ),
  collected('channelable-manipulator', 'channelable'),
  ofEventing('meta-channelable-manipulator', [on(MANIPULATE, 'messaging.knative.dev', 'channels', 'channels/status')], duck('channelable')),
  ofEventing(
    'imc-channelable-manipulator',
    [on(MANIPULATE, 'messaging.knative.dev', 'inmemorychannels', 'inmemorychannels/status')],
    duck('channelable'),
  ),
  collected('source-observer', 'source'),
  ofEventing('eventing-sources-source-observer', [on(READ, 'sources.knative.dev', ...SOURCES)], duck('source')),
  ...['eventing', 'messaging', 'flows', 'sources', 'bindings', 'sinks'].map((part) =>
    ofEventing(`knative-${part}-namespaced-admin`, [on([ALL], `${part}.knative.dev`, ALL)], gives('admin')),
  ),
  ofEventing(
    'knative-eventing-namespaced-edit',
    [
      {
        apiGroups: ['eventing.knative.dev', 'messaging.knative.dev', 'sources.knative.dev', 'flows.knative.dev', 'bindings.knative.dev'],
        resources: [ALL],
        verbs: ['create', 'update', 'patch', 'delete'],
      },
    ],
    gives('edit'),
  ),
  ofEventing(
    'knative-eventing-namespaced-view',
    [
      {
        apiGroups: ['eventing.knative.dev', 'messaging.knative.dev', 'sources.knative.dev', 'flows.knative.dev', 'bindings.knative.dev'],
        resources: [ALL],
        verbs: READ,
      },
    ],
    gives('view'),
  ),
]

export const DEFAULT_ROLES: readonly DefaultRole[] = [...KUBERNETES_ROLES, ...KNATIVE_ROLES, ...EVENTING_ROLES]

export const DEFAULT_BINDINGS: readonly DefaultBinding[] = [
  { name: 'cluster-admin', subjects: [group('system:masters')] },
  { name: 'system:discovery', subjects: [group('system:authenticated')] },
  { name: 'system:basic-user', subjects: [group('system:authenticated')] },
  { name: 'system:public-info-viewer', subjects: [group('system:authenticated'), group('system:unauthenticated')] },
  { name: 'system:monitoring', subjects: [group('system:monitoring')] },
  { name: 'system:service-account-issuer-discovery', subjects: [group('system:serviceaccounts')] },
]
