import type { ServedKind } from '../../../apimachinery/kind.js'
import { objectSchema } from '../schema-parts.js'
import { roleKind } from './kind.js'
import { roleColumns, ruleCauses, rulesSchema } from './rules.js'
import type { Role } from './schema.js'

export const roleServed: ServedKind<Role> = {
  kind: { ...roleKind, columns: roleColumns },
  builtIn: true,
  unconditionalUpdate: true,
  createsOnUpdate: true,
  generation: false,
  nameRule: 'pathSegment',
  schema: objectSchema('Role holds rules for one namespace; a RoleBinding gives them to someone.', { rules: rulesSchema }),
  validate: ({ rules }) => ruleCauses(rules, { namespaced: true }),
}
