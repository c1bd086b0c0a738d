import type { ServedKind } from '../../../apimachinery/kind.js'
import { bindingCauses, bindingColumns, bindingProperties, defaultBinding } from '../rolebinding/subjects.js'
import { objectSchema } from '../schema-parts.js'
import { clusterRoleBindingKind } from './kind.js'
import type { ClusterRoleBinding } from './schema.js'

export const clusterRoleBindingServed: ServedKind<ClusterRoleBinding> = {
  kind: { ...clusterRoleBindingKind, columns: bindingColumns },
  builtIn: true,
  unconditionalUpdate: true,
  createsOnUpdate: true,
  generation: false,
  nameRule: 'pathSegment',
  schema: objectSchema('ClusterRoleBinding gives a ClusterRole to someone in the whole cluster.', bindingProperties, ['roleRef']),
  defaults: defaultBinding,
  validate: (binding, { old }) => bindingCauses(binding, old, { namespaced: false }),
}
