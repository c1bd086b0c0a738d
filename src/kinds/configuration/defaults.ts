import type { AdmissionContext } from '../../apimachinery/kind.js'
import type { KubeObject } from '../../apimachinery/object.js'
import { defaultRevisionSpec } from '../revision/defaults.js'
import { semanticEqual } from '../semantic-equal.js'
import { setUserInfo } from '../serving-metadata.js'
import type { Configuration, RevisionTemplate } from './schema.js'

/** @see knative/serving v1.23 pkg/apis/serving/v1/configuration_defaults.go */
export function defaultConfiguration(draft: Configuration, context: AdmissionContext<Configuration>): void {
  defaultTemplate(draft, context)
  // One that a Service made says so by its owner; its annotations are the Service's.
  if (!draft.metadata.ownerReferences?.length) setUserInfo(draft, context)
}

/**
 * Fills in `spec.template` in place. A template that carries a name of the user's own and has not changed is left alone,
 * so that newer defaults never alter a Revision that exists under that name.
 */
export function defaultTemplate<T extends KubeObject & { spec: { template: RevisionTemplate } }>(
  draft: T,
  context: AdmissionContext<T>,
): void {
  draft.spec ??= {} as T['spec']
  draft.spec.template ??= {} as RevisionTemplate
  const { template } = draft.spec
  template.spec ??= {} as RevisionTemplate['spec']
  if (template.metadata?.name && context.old && semanticEqual(template, context.old.spec.template)) return
  defaultRevisionSpec(template.spec, draft.metadata, context.operation === 'CREATE', context.configMap)
}
