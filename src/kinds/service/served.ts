import type { ServedKind } from '../../apimachinery/kind.js'
import { defaultService } from './defaults.js'
import { serviceKind } from './kind.js'
import { assignPort } from './port.js'
import { type Service, serviceSchema } from './schema.js'
import { validateService } from './validate.js'

export const serviceServed: ServedKind<Service> = {
  kind: serviceKind,
  schema: serviceSchema,
  builtIn: false,
  webhook: { validationName: 'validation.webhook.serving.knative.dev', defaults: defaultService, validate: validateService },
  prepare: assignPort,
}
