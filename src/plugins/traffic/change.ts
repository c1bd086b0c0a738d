import { SERVICE_LABEL } from '../../cli/nouns/revision.js'
import { updateService, type WaitFlags } from '../../cli/nouns/service-write.js'
import type { World } from '../../cli/world.js'
import type { Client } from '../../client/client.js'
import { waitForReady } from '../../client/wait.js'
import { revisionKind } from '../../kinds/revision/kind.js'
import type { Revision } from '../../kinds/revision/schema.js'
import { routeKind } from '../../kinds/route/kind.js'
import type { TrafficTarget } from '../../kinds/route/schema.js'
import { serviceKind } from '../../kinds/service/kind.js'
import type { Service } from '../../kinds/service/schema.js'
import { changeText } from './overview.js'
import { askedTargets } from './spread.js'

/** A service and all its revisions. Throws what the API refuses, so also that there is no such service. */
export async function serviceWithRevisions(
  client: Client,
  ref: { namespace: string; name: string },
): Promise<{ service: Service; revisions: readonly Revision[] }> {
  const service = await client.get(serviceKind, ref)
  const revisions = await client.list(revisionKind, ref.namespace, { labelSelector: `${SERVICE_LABEL}=${ref.name}` })
  return { service, revisions }
}

/** What every change of traffic takes. */
export interface Change {
  client: Client
  ref: { namespace: string; name: string }
  flags: WaitFlags & { 'dry-run': boolean }
  world: World
  /** The targets that the service is to have; pure, since a conflict makes it be asked again. */
  targets(service: Service): TrafficTarget[]
  /** The sentence above the result; `would` for a dry run, which changes nothing. */
  title(service: Service, mood: 'did' | 'would'): string
  revisions: readonly Revision[]
  onProgress(text: string): void
  random(): number
}

/**
 * Changes the traffic of a service, waits until its Route has it, and resolves to the text of what was done. Throws what the API
 * refuses, and a UserError when the Route does not take it.
 */
export async function changeTraffic({ client, ref, flags, world, revisions, ...change }: Change): Promise<string> {
  const told = (service: Service, mood: 'did' | 'would'): string =>
    `${change.title(service, mood)}\n\n${changeText(service, change.targets(service), revisions)}`
  if (flags['dry-run']) return told(await client.get(serviceKind, ref), 'would')

  const withTargets = (service: Service): Service => ({ ...service, spec: { ...service.spec, traffic: change.targets(service) } })
  const { before, after } = await updateService(client, ref, withTargets, { clock: world.clock, random: change.random })
  if (flags.wait) {
    change.onProgress(`Waiting for the route of service '${ref.name}' ...`)
    await waitForRoute({ client, ref, flags, world, onProgress: change.onProgress }, askedTargets(after))
  }
  return told(before, 'did')
}

/** Waits for the Route, not for the Service: that one is not ready while its latest revision is broken, which is when traffic is rolled back. */
async function waitForRoute(
  { client, ref, flags, world, onProgress }: Pick<Change, 'client' | 'ref' | 'flags' | 'world' | 'onProgress'>,
  wanted: readonly TrafficTarget[],
): Promise<void> {
  let last = ''
  await waitForReady({
    client,
    kind: routeKind,
    ref,
    clock: world.clock,
    timeoutSeconds: flags['wait-timeout'],
    windowSeconds: flags['wait-window'],
    isCurrent: ({ spec }) => spread(spec.traffic ?? []) === spread(wanted),
    onProgress: (_, message) => {
      if (message !== last) onProgress(message)
      last = message
    },
  })
}

/** Targets as text, for telling whether two lists of them are the same. */
function spread(targets: readonly TrafficTarget[]): string {
  return JSON.stringify(targets.map(({ tag = '', revisionName = '', percent = 0 }) => [tag, revisionName, percent]))
}
