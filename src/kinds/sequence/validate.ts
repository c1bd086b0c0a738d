import { validateDelivery } from '../../apimachinery/delivery-spec.js'
import { validateDestination } from '../../apimachinery/destination.js'
import { also, type FieldError, findings, viaField } from '../../apimachinery/field-error.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import { deliveryRules } from '../eventing-config.js'
import { invalidElement, printedDestination, printedPointer } from '../flows-validate.js'
import { validateChannelTemplate } from '../messaging-schema.js'
import type { Sequence } from './schema.js'

/** @see knative/eventing v1.22 pkg/apis/flows/v1/sequence_validation.go */
export function validateSequence({ spec }: Sequence, { configMap }: AdmissionContext<Sequence>): FieldError | undefined {
  const { steps = [], channelTemplate, reply } = spec
  const rules = deliveryRules(configMap)
  return viaField(
    'spec',
    also(
      steps.length === 0 ? findings.missingField('steps') : undefined,
      ...steps.map(({ delivery, ...destination }, index) =>
        validateDestination(destination, rules) || validateDelivery(delivery, rules)
          ? invalidElement(`{${printedDestination(destination)} ${printedPointer(delivery)}}`, 'steps', index)
          : undefined,
      ),
      channelTemplate ? viaField('channelTemplate', validateChannelTemplate(channelTemplate)) : findings.missingField('channelTemplate'),
      reply && viaField('reply', validateDestination(reply, rules)),
    ),
  )
}
