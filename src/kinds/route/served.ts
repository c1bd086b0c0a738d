import type { ServedKind } from '../../apimachinery/kind.js'
import { defaultRoute } from './defaults.js'
import { routeKind } from './kind.js'
import { type Route, routeSchema } from './schema.js'
import { validateRoute } from './validate.js'

export const routeServed: ServedKind<Route> = {
  kind: routeKind,
  schema: routeSchema,
  builtIn: false,
  webhook: { validationName: 'validation.webhook.serving.knative.dev', defaults: defaultRoute, validate: validateRoute },
}
