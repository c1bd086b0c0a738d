import { also, type FieldError, viaField } from '../../apimachinery/field-error.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import { validateNameChange, validateTemplate } from '../revision/validate.js'
import { validateTraffic } from '../route/validate.js'
import { validateCreatorAndModifier, validateMetadata } from '../serving-metadata.js'
import type { Service } from './schema.js'

/** @see knative/serving v1.23 pkg/apis/serving/v1/service_validation.go */
export function validateService(service: Service, context: AdmissionContext<Service>): FieldError | undefined {
  const { old } = context
  return also(
    validateMetadata(service),
    viaField('spec.template', validateTemplate(service.spec.template, service.metadata, context)),
    viaField('spec.traffic', validateTraffic(service.spec.traffic ?? [], true)),
    old ? validateCreatorAndModifier(service, old) : undefined,
    old ? viaField('spec.template', validateNameChange(service.spec.template, old.spec.template)) : undefined,
  )
}
