import type { ServedKind } from '../../../apimachinery/kind.js'
import { objectSchema } from '../schema-parts.js'
import { roleBindingKind } from './kind.js'
import type { RoleBinding } from './schema.js'
import { bindingCauses, bindingColumns, bindingProperties, defaultBinding } from './subjects.js'

export const roleBindingServed: ServedKind<RoleBinding> = {
  kind: { ...roleBindingKind, columns: bindingColumns },
  builtIn: true,
  unconditionalUpdate: true,
  createsOnUpdate: true,
  generation: false,
  nameRule: 'pathSegment',
  schema: objectSchema('RoleBinding gives a role to someone within a namespace.', bindingProperties, ['roleRef']),
  defaults: defaultBinding,
  validate: (binding, { old }) => bindingCauses(binding, old, { namespaced: true }),
}
