import type { ServedKind } from '../../../apimachinery/kind.js'
import { conditions, fields, objectSchema, text, texts } from '../schema-parts.js'
import { namespaceKind } from './kind.js'
import type { Namespace } from './schema.js'

/** Kept until everything in the namespace is gone; removed through /finalize by the namespace controller. */
export const KUBERNETES_FINALIZER = 'kubernetes'
const NAME_LABEL = 'kubernetes.io/metadata.name'

export const namespaceServed: ServedKind<Namespace> = {
  kind: {
    ...namespaceKind,
    columns: [
      { name: 'Status', type: 'string', description: 'The status of the namespace.', cell: ({ status }: Namespace) => status?.phase ?? '' },
    ],
  },
  builtIn: true,
  unconditionalUpdate: true,
  generation: false,
  nameRule: 'dns1123Label',
  deleteReturnsObject: true,
  verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
  schema: objectSchema('Namespace provides a scope for names.', {
    spec: fields({ finalizers: texts }),
    status: fields({ conditions, phase: text }),
  }),
  defaults(namespace) {
    namespace.metadata.labels = { ...namespace.metadata.labels, [NAME_LABEL]: namespace.metadata.name }
  },
  prepare(namespace, { operation }) {
    if (operation !== 'CREATE') return
    const finalizers = namespace.spec?.finalizers ?? []
    namespace.spec = {
      ...namespace.spec,
      finalizers: finalizers.includes(KUBERNETES_FINALIZER) ? finalizers : [...finalizers, KUBERNETES_FINALIZER],
    }
    namespace.status = { phase: 'Active' }
  },
  fieldSelectors: { name: ({ metadata }) => metadata.name, 'status.phase': ({ status }) => status?.phase ?? '' },
}
