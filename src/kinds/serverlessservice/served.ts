import type { ServedKind } from '../../apimachinery/kind.js'
import { serverlessServiceKind } from './kind.js'
import { type ServerlessService, serverlessServiceSchema } from './schema.js'
import { validateServerlessService } from './validate.js'

export const serverlessServiceServed: ServedKind<ServerlessService> = {
  kind: serverlessServiceKind,
  schema: serverlessServiceSchema,
  builtIn: false,
  webhook: { validationName: 'validation.webhook.serving.knative.dev', validate: validateServerlessService },
}
