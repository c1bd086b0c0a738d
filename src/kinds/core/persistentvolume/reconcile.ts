import { timestamp } from '../../../apimachinery/object.js'
import { isNotFound } from '../../../apimachinery/status-error.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../../controller/reconcile.js'
import { persistentVolumeClaimKind } from '../persistentvolumeclaim/kind.js'
import { persistentVolumeKind } from './kind.js'
import { type PersistentVolume, PV_PROTECTION_FINALIZER } from './schema.js'

/**
 * Says whether a volume is free, bound, or left behind by its claim. Its contents are nobody's business here, so it is
 * never wiped or deleted, whatever its reclaim policy.
 * @see kubernetes/kubernetes v1.35 pkg/controller/volume/persistentvolume/pv_controller.go syncVolume
 */
export function createPersistentVolumeController(): Controller<PersistentVolume> {
  return {
    kind: persistentVolumeKind,
    actsAs: 'system:serviceaccount:kube-system:persistent-volume-binder',
    eventSource: { component: 'persistentvolume-controller' },
    reconcilesDeleted: true,
    wokenBy: [{ kind: persistentVolumeClaimKind, wakes: (_, all) => all.list().map(({ metadata }) => metadata) }],
    create: (deps) => (volume) => reconcile(deps, volume),
  }
}

async function reconcile({ client, clock }: ReconcilerDeps, volume: PersistentVolume): Promise<Outcome<PersistentVolume>> {
  const { metadata, status } = volume
  const phase = await phaseOf({ client }, volume)
  if (metadata.deletionTimestamp && phase !== 'Bound' && metadata.finalizers?.includes(PV_PROTECTION_FINALIZER)) {
    const finalizers = metadata.finalizers.filter((finalizer) => finalizer !== PV_PROTECTION_FINALIZER)
    await client.update(persistentVolumeKind, { ...volume, metadata: { ...metadata, finalizers } }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
    return {}
  }
  return phase === status?.phase ? {} : { status: { ...status, phase, lastPhaseTransitionTime: timestamp(clock.now()) } }
}

async function phaseOf(
  { client }: Pick<ReconcilerDeps, 'client'>,
  { spec: { claimRef }, metadata }: PersistentVolume,
): Promise<'Available' | 'Bound' | 'Released'> {
  // Reserved by its administrator for a claim yet to come.
  if (!claimRef?.uid) return 'Available'
  const claim = await client.find(persistentVolumeClaimKind, { namespace: claimRef.namespace, name: claimRef.name! })
  if (claim?.metadata.uid !== claimRef.uid) return 'Released'
  return claim.spec.volumeName === undefined || claim.spec.volumeName === metadata.name ? 'Bound' : 'Available'
}
