import type { CustomResourceDefinition } from '../../../apimachinery/custom-resource.js'
import type { Identity, ServedKind } from '../../../apimachinery/kind.js'
import { refusals, type StatusError } from '../../../apimachinery/status-error.js'
import { customResourceDefinitionKind } from './kind.js'
import { statusAmong, withCondition } from './names.js'
import {
  CLEANUP_FINALIZER,
  customResourceDefinitionSchema,
  OWN_DEFINITION,
  OWN_DEFINITION_WRITER,
  publishedDefinitionSchema,
} from './schema.js'
import { validateDefinition } from './validate.js'

const DEFAULT_WEBHOOK_PORT = 443

/**
 * Definitions of kinds. Their status is worked out with every write, so that whoever made one may use its kind right away
 * (the API server serves what is Established, src/apiserver/crd); a controller does what needs others to move first.
 */
export const customResourceDefinitionServed: ServedKind<CustomResourceDefinition> = {
  kind: {
    ...customResourceDefinitionKind,
    columns: [
      {
        name: 'Created At',
        type: 'date',
        description: 'CreationTimestamp is a timestamp representing the server time when this object was created.',
        cell: ({ metadata }: CustomResourceDefinition) => metadata.creationTimestamp ?? '',
      },
    ],
  },
  builtIn: true,
  unconditionalUpdate: false,
  schema: customResourceDefinitionSchema,
  publishedSchema: publishedDefinitionSchema,
  defaults({ spec }) {
    spec.group ??= ''
    spec.names ??= { kind: '', plural: '' }
    spec.names.kind ??= ''
    spec.names.plural ??= ''
    if (spec.names.kind) {
      spec.names.singular ||= spec.names.kind.toLowerCase()
      spec.names.listKind ||= `${spec.names.kind}List`
    }
    spec.conversion ??= { strategy: 'None' }
    const service = spec.conversion.webhook?.clientConfig?.service
    if (service) service.port ??= DEFAULT_WEBHOOK_PORT
    spec.versions ??= []
    for (const version of spec.versions) {
      version.served ??= false
      version.storage ??= false
    }
  },
  validate(definition, context) {
    if (!isOwn(definition) && !(context.old && isOwn(context.old))) return validateDefinition(definition, context)
    requireWriter(definition, context.user)
    // It defines nothing, so it need not be able to: the program's own schemas leave some rules to its webhooks.
    return []
  },
  prepare(definition, { list, nowMs }) {
    if (definition.metadata.deletionTimestamp) return
    definition.status = statusAmong(definition, list(customResourceDefinitionKind), nowMs)
  },
  onDelete(marked, { user, nowMs }) {
    if (isOwn(marked)) requireWriter(marked, user)
    const { finalizers = [] } = marked.metadata
    const pending = {
      type: 'Terminating',
      status: 'True' as const,
      reason: 'InstanceDeletionPending',
      message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
    }
    return {
      ...marked,
      metadata: {
        ...marked.metadata,
        finalizers: finalizers.includes(CLEANUP_FINALIZER) ? finalizers : [...finalizers, CLEANUP_FINALIZER],
      },
      status: { ...marked.status, conditions: withCondition(marked.status?.conditions, pending, nowMs) },
    }
  },
}

function isOwn({ metadata }: CustomResourceDefinition): boolean {
  return metadata.annotations?.[OWN_DEFINITION] !== undefined
}

function requireWriter({ metadata }: CustomResourceDefinition, user: Identity): void {
  if (user.name !== OWN_DEFINITION_WRITER) throw ownDefinitionRefusal(metadata.name)
}

function ownDefinitionRefusal(name: string): StatusError {
  const { group, plural } = customResourceDefinitionKind
  return refusals.forbidden(
    { group, plural },
    name,
    'this kind is served by the program itself; its definition can be read, but not changed or deleted',
  )
}
