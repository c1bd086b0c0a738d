import type { ServedKind } from '../../apimachinery/kind.js'
import { kingressKind } from './kind.js'
import { type KIngress, kingressSchema } from './schema.js'
import { validateKIngress } from './validate.js'

export const kingressServed: ServedKind<KIngress> = {
  kind: kingressKind,
  schema: kingressSchema,
  builtIn: false,
  webhook: {
    validationName: 'validation.webhook.serving.knative.dev',
    /** @see knative/networking pkg/apis/networking/v1alpha1/ingress_defaults.go */
    defaults(draft) {
      const rules = Array.isArray(draft.spec?.rules) ? draft.spec.rules : []
      for (const rule of rules) {
        rule.visibility ??= 'ExternalIP'
        const paths = Array.isArray(rule.http?.paths) ? rule.http.paths : []
        for (const { splits } of paths) if (Array.isArray(splits) && splits.length === 1) splits[0]!.percent ??= 100
      }
    },
    validate: validateKIngress,
  },
}
