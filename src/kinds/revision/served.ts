import type { ServedKind } from '../../apimachinery/kind.js'
import { defaultRevision } from './defaults.js'
import { revisionKind } from './kind.js'
import { type Revision, revisionSchema } from './schema.js'
import { validateRevision } from './validate.js'

export const revisionServed: ServedKind<Revision> = {
  kind: revisionKind,
  schema: revisionSchema,
  builtIn: false,
  webhook: { validationName: 'validation.webhook.serving.knative.dev', defaults: defaultRevision, validate: validateRevision },
}
