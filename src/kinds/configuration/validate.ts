import { also, type FieldError, viaField } from '../../apimachinery/field-error.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import { validateNameChange, validateTemplate } from '../revision/validate.js'
import { SERVICE_LABEL } from '../serving-labels.js'
import { validateCreatorAndModifier, validateMetadata, validateOwnerLabel } from '../serving-metadata.js'
import type { Configuration } from './schema.js'

/** @see knative/serving v1.23 pkg/apis/serving/v1/configuration_validation.go */
export function validateConfiguration(configuration: Configuration, context: AdmissionContext<Configuration>): FieldError | undefined {
  const { old } = context
  const isOwned = Boolean(configuration.metadata.ownerReferences?.length)
  return also(
    validateMetadata(configuration),
    viaField('metadata.labels', validateOwnerLabel(configuration, SERVICE_LABEL, 'Service')),
    viaField('spec.template', validateTemplate(configuration.spec.template, configuration.metadata, context)),
    old && !isOwned ? validateCreatorAndModifier(configuration, old) : undefined,
    old ? viaField('spec.template', validateNameChange(configuration.spec.template, old.spec.template)) : undefined,
  )
}
