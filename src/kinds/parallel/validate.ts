import { validateDestination } from '../../apimachinery/destination.js'
import { also, type FieldError, findings, viaField } from '../../apimachinery/field-error.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import { deliveryRules } from '../eventing-config.js'
import { invalidElement, printedDestination, printedPointer } from '../flows-validate.js'
import { validateChannelTemplate } from '../messaging-schema.js'
import type { Parallel, ParallelBranch } from './schema.js'

/**
 * The delivery of a branch is not looked at, as there.
 * @see knative/eventing v1.22 pkg/apis/flows/v1/parallel_validation.go
 */
export function validateParallel({ spec }: Parallel, { configMap }: AdmissionContext<Parallel>): FieldError | undefined {
  const { branches = [], channelTemplate, reply } = spec
  const rules = deliveryRules(configMap)
  const ofBranches = branches.flatMap((branch, index) => {
    const { filter, subscriber, reply: own } = branch
    return [
      filter && validateDestination(filter, rules) ? invalidElement(printedBranch(branch), 'branches.filter', index) : undefined,
      validateDestination(subscriber, rules) ? invalidElement(printedBranch(branch), 'branches.subscriber', index) : undefined,
      own && validateDestination(own, rules) ? invalidElement(printedBranch(branch), 'branches.reply', index) : undefined,
    ]
  })
  return viaField(
    'spec',
    also(
      branches.length === 0 ? findings.missingField('branches') : undefined,
      ...ofBranches,
      // Nothing behind a missing template is looked at, as there.
      ...(channelTemplate
        ? [
            viaField('channelTemplate', validateChannelTemplate(channelTemplate)),
            reply && viaField('reply', validateDestination(reply, rules)),
          ]
        : [findings.missingField('channelTemplate')]),
    ),
  )
}

/** As Go prints the value. */
function printedBranch({ filter, subscriber, reply, delivery }: ParallelBranch): string {
  return `{${printedPointer(filter)} ${printedDestination(subscriber ?? {})} ${printedPointer(reply)} ${printedPointer(delivery)}}`
}
