import { compareQuantities } from '../../../apimachinery/quantity.js'
import { labelSelectorMatches } from '../../../apimachinery/selectors.js'
import { isNotFound } from '../../../apimachinery/status-error.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../../controller/reconcile.js'
import { persistentVolumeKind } from '../persistentvolume/kind.js'
import type { PersistentVolume } from '../persistentvolume/schema.js'
import { podKind } from '../pod/kind.js'
import type { Pod } from '../pod/schema.js'
import { storageClassKind } from '../storageclass/kind.js'
import { persistentVolumeClaimKind } from './kind.js'
import { type PersistentVolumeClaim, PROTECTION_FINALIZER } from './schema.js'

const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'
const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller'

/**
 * Binds claims to volumes that an administrator made, and says of all others why they wait: nobody makes volumes here.
 * A claim that is deleted stays until no Pod uses it.
 * @see kubernetes/kubernetes v1.35 pkg/controller/volume/persistentvolume/pv_controller.go
 * @see kubernetes/kubernetes v1.35 pkg/controller/volume/pvcprotection
 */
export function createPersistentVolumeClaimController(): Controller<PersistentVolumeClaim> {
  return {
    kind: persistentVolumeClaimKind,
    actsAs: 'system:serviceaccount:kube-system:persistent-volume-binder',
    eventSource: { component: 'persistentvolume-controller' },
    reconcilesDeleted: true,
    // One after the other: two claims must not take the same volume.
    concurrency: 1,
    wokenBy: [
      {
        kind: persistentVolumeKind,
        wakes: (_, all) =>
          all.list().flatMap((claim) => ((claim as PersistentVolumeClaim).status?.phase === 'Bound' ? [] : [claim.metadata])),
      },
      { kind: storageClassKind, wakes: (_, all) => all.list().map(({ metadata }) => metadata) },
      { kind: podKind, wakes: (pod) => claimsOf(pod as Pod).map((name) => ({ namespace: pod.metadata.namespace, name })) },
    ],
    create: (deps) => (claim) => (claim.metadata.deletionTimestamp ? letGo(deps, claim) : bind(deps, claim)),
  }
}

function claimsOf({ spec }: Pod): string[] {
  return (spec.volumes ?? []).flatMap((volume) => {
    const name = (volume['persistentVolumeClaim'] as { claimName?: string } | undefined)?.claimName
    return name ? [name] : []
  })
}

async function letGo({ client }: ReconcilerDeps, claim: PersistentVolumeClaim): Promise<Outcome<PersistentVolumeClaim>> {
  const { metadata } = claim
  if (!metadata.finalizers?.includes(PROTECTION_FINALIZER)) return {}
  const pods = await client.list(podKind, metadata.namespace)
  const isUsing = (pod: Pod): boolean =>
    claimsOf(pod).includes(metadata.name) &&
    pod.status?.phase !== 'Succeeded' &&
    pod.status?.phase !== 'Failed' &&
    Boolean(pod.spec.nodeName)
  if (pods.some(isUsing)) return {}
  const finalizers = metadata.finalizers.filter((finalizer) => finalizer !== PROTECTION_FINALIZER)
  await client.update(persistentVolumeClaimKind, { ...claim, metadata: { ...metadata, finalizers } }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error
  })
  return {}
}

async function bind(deps: ReconcilerDeps, claim: PersistentVolumeClaim): Promise<Outcome<PersistentVolumeClaim>> {
  const { client } = deps
  const volumes = await client.list(persistentVolumeKind)
  const own = volumes.find((volume) => isReservedFor(volume, claim))
  if (claim.spec.volumeName) {
    const volume = volumes.find(({ metadata }) => metadata.name === claim.spec.volumeName)
    if (!volume) return { status: { ...claim.status, phase: claim.metadata.annotations?.[BIND_COMPLETED] ? 'Lost' : 'Pending' } }
    if (volume.spec.claimRef && !isReservedFor(volume, claim)) return { status: { ...claim.status, phase: 'Pending' } }
    return bindTo(deps, claim, volume)
  }
  const volume = own ?? smallest(volumes, claim)
  if (volume) return bindTo(deps, claim, volume)
  await sayWhy(deps, claim)
  return { status: { ...claim.status, phase: 'Pending' } }
}

function isReservedFor({ spec: { claimRef } }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  if (!claimRef || claimRef.name !== metadata.name || claimRef.namespace !== metadata.namespace) return false
  return !claimRef.uid || claimRef.uid === metadata.uid
}

/** The smallest volume that is free and gives all that the claim asks for. */
function smallest(volumes: readonly PersistentVolume[], { spec }: PersistentVolumeClaim): PersistentVolume | undefined {
  const asked = spec.resources?.requests?.['storage'] ?? '0'
  const size = (volume: PersistentVolume): string => volume.spec.capacity?.['storage'] ?? '0'
  return volumes
    .filter(
      ({ spec: offered, status, metadata }) =>
        !offered.claimRef &&
        !metadata.deletionTimestamp &&
        status?.phase === 'Available' &&
        (offered.storageClassName ?? '') === (spec.storageClassName ?? '') &&
        (offered.volumeMode ?? 'Filesystem') === (spec.volumeMode ?? 'Filesystem') &&
        (spec.accessModes ?? []).every((mode) => offered.accessModes?.includes(mode)) &&
        (!spec.selector || labelSelectorMatches(spec.selector, metadata.labels)),
    )
    .filter((volume) => compareQuantities(size(volume), asked) >= 0)
    .sort((a, b) => compareQuantities(size(a), size(b)))[0]
}

async function bindTo(
  { client }: ReconcilerDeps,
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
): Promise<Outcome<PersistentVolumeClaim>> {
  const { name, namespace, uid, resourceVersion } = claim.metadata
  if (volume.spec.claimRef?.uid !== uid) {
    const claimRef = {
      kind: 'PersistentVolumeClaim',
      namespace: namespace!,
      name,
      uid: uid!,
      apiVersion: 'v1',
      resourceVersion: resourceVersion!,
    }
    const annotations = { ...volume.metadata.annotations, ...(!volume.spec.claimRef && { [BOUND_BY_CONTROLLER]: 'yes' }) }
    await client.update(persistentVolumeKind, {
      ...volume,
      metadata: { ...volume.metadata, annotations },
      spec: { ...volume.spec, claimRef: { ...volume.spec.claimRef, ...claimRef } },
    })
  }
  if (claim.spec.volumeName !== volume.metadata.name || !claim.metadata.annotations?.[BIND_COMPLETED]) {
    const byUs: Record<string, string> = claim.spec.volumeName ? {} : { [BOUND_BY_CONTROLLER]: 'yes' }
    await client.update(persistentVolumeClaimKind, {
      ...claim,
      metadata: { ...claim.metadata, annotations: { ...claim.metadata.annotations, [BIND_COMPLETED]: 'yes', ...byUs } },
      spec: { ...claim.spec, volumeName: volume.metadata.name },
    })
    // The change that was just written brings it back here, for its status.
    return {}
  }
  const { accessModes, capacity } = volume.spec
  return { status: { ...claim.status, phase: 'Bound', ...(accessModes && { accessModes }), ...(capacity && { capacity }) } }
}

async function sayWhy({ client, event }: ReconcilerDeps, claim: PersistentVolumeClaim): Promise<void> {
  const name = claim.spec.storageClassName
  if (!name) {
    event(claim, 'Normal', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set')
    return
  }
  const found = await client.find(storageClassKind, { name })
  if (!found) event(claim, 'Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io ${JSON.stringify(name)} not found`)
  else if (found.volumeBindingMode === 'WaitForFirstConsumer')
    event(claim, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
  else if (found.provisioner === 'kubernetes.io/no-provisioner')
    event(claim, 'Warning', 'ProvisioningFailed', 'storageclass does not support dynamic provisioning')
  else
    event(
      claim,
      'Normal',
      'ExternalProvisioning',
      `Waiting for a volume to be created either by the external provisioner '${found.provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
    )
}
