import { isConflict, isNotFound } from '../apimachinery/status-error.js'
import type { Client } from '../client/client.js'
import { endpointSliceKind } from '../kinds/core/endpointslice/kind.js'
import type { EndpointSlice } from '../kinds/core/endpointslice/schema.js'
import { podKind } from '../kinds/core/pod/kind.js'
import { PORTS_ANNOTATION, type Pod } from '../kinds/core/pod/schema.js'

/**
 * Says of every Pod of an earlier run that it is not ready and has no ports: its processes are gone, and whoever has those
 * ports now is somebody else. Without it the gateway would send the first requests there instead of holding them.
 */
export async function forgetProcesses(client: Client): Promise<void> {
  const pods = await client.list(podKind)
  const slices = await client.list(endpointSliceKind)
  const ofPods = (slice: EndpointSlice): boolean => slice.endpoints.some(({ targetRef }) => targetRef?.kind === 'Pod')
  await Promise.all([
    ...pods.filter(hasRun).map((pod) => forget(client, pod)),
    ...slices.filter(ofPods).map((slice) => emptied(client, slice)),
  ])
}

function hasRun({ metadata, status }: Pod): boolean {
  return metadata.annotations?.[PORTS_ANNOTATION] !== undefined || (status?.containerStatuses ?? []).some(({ ready }) => ready)
}

async function forget(client: Client, pod: Pod): Promise<void> {
  try {
    const patched = await client.patch(podKind, pod.metadata, {
      type: 'application/merge-patch+json',
      body: { metadata: { annotations: { [PORTS_ANNOTATION]: null } } },
    })
    const { status } = patched
    if (!status) return
    const why = { status: 'False' as const, reason: 'ContainersNotReady', message: 'the emulator was started anew' }
    await client.updateStatus(podKind, {
      ...patched,
      status: {
        ...status,
        ...(status.containerStatuses && {
          containerStatuses: status.containerStatuses.map((container) => ({ ...container, ready: false })),
        }),
        ...(status.conditions && {
          conditions: status.conditions.map((condition) =>
            ['Ready', 'ContainersReady'].includes(condition.type) ? { ...condition, ...why } : condition,
          ),
        }),
      },
    })
  } catch (error) {
    // Deleted or changed since it was listed: then it is looked at anew anyway.
    if (!isNotFound(error) && !isConflict(error)) throw error
  }
}

async function emptied(client: Client, slice: EndpointSlice): Promise<void> {
  const endpoints = slice.endpoints.map((endpoint) => ({
    ...endpoint,
    conditions: { ...endpoint.conditions, ready: false, serving: false },
  }))
  await client.update(endpointSliceKind, { ...slice, endpoints })
}
