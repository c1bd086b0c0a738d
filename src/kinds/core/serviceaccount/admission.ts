import type { AdmissionPlugin } from '../../../apimachinery/admission-plugin.js'
import { refusals } from '../../../apimachinery/status-error.js'
import type { Pod } from '../pod/schema.js'
import { serviceAccountKind } from './kind.js'

/** Every namespace has it, from a moment after it was made on; what comes in that moment waits on a cluster, and passes here. */
const DEFAULT_ACCOUNT = 'default'

/**
 * Refuses new Pods whose account is not there, and gives them the pull secrets of theirs. No token is mounted: programs are
 * processes of this machine.
 * @see kubernetes/kubernetes v1.35 plugin/pkg/admission/serviceaccount/admission.go
 */
export const serviceAccounts: AdmissionPlugin = {
  mutate(object, { kind, resource, namespace, context }) {
    if (resource !== 'pods' || context.operation !== 'CREATE' || context.subresource !== '') return
    const { spec, metadata } = object as Pod
    const name = spec.serviceAccountName || DEFAULT_ACCOUNT
    const account = context.find(serviceAccountKind, { namespace, name })
    if (!account && name !== DEFAULT_ACCOUNT)
      throw refusals.forbidden(
        { group: kind.group, plural: kind.plural },
        // Asked before the name is made of its prefix.
        metadata.generateName ?? metadata.name,
        `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`,
      )
    const secrets = spec['imagePullSecrets'] as unknown[] | undefined
    if (account?.imagePullSecrets && !secrets?.length) spec['imagePullSecrets'] = account.imagePullSecrets.map((secret) => ({ ...secret }))
  },
}
