import { also, type FieldError, findings, viaField } from '../../apimachinery/field-error.js'
import type { ServerlessService } from './schema.js'

/** @see knative/networking pkg/apis/networking/v1alpha1/serverlessservice_validation.go */
export function validateServerlessService({ spec }: ServerlessService): FieldError | undefined {
  const { mode, numActivators = 0, objectRef } = spec ?? {}
  const missing = (['apiVersion', 'kind', 'name'] as const).filter((field) => !objectRef?.[field])
  return viaField(
    'spec',
    also(
      !mode ? findings.missingField('mode') : mode !== 'Proxy' && mode !== 'Serve' ? findings.invalidValue(mode, 'mode') : undefined,
      numActivators < 0 ? findings.invalidValue(numActivators, 'numActivators') : undefined,
      missing.length > 0 ? viaField('objectRef', findings.missingField(...missing)) : undefined,
      spec?.protocolType
        ? ['http1', 'h2c'].includes(spec.protocolType)
          ? undefined
          : findings.invalidValue(spec.protocolType, 'protocolType')
        : findings.missingField('protocolType'),
    ),
  )
}
