import { isReady } from '../../apimachinery/conditions.js'
import { type Draft, isControlledBy, timestamp } from '../../apimachinery/object.js'
import type { Client } from '../../client/client.js'
import { revisionKind } from '../revision/kind.js'
import type { Revision } from '../revision/schema.js'
import { semanticEqual } from '../semantic-equal.js'
import {
  CONFIGURATION_GENERATION_LABEL,
  CONFIGURATION_LABEL,
  CONFIGURATION_UID_LABEL,
  CREATOR_ANNOTATION,
  LAST_MODIFIER_ANNOTATION,
  ROUTES_ANNOTATION,
  ROUTING_STATE_LABEL,
  ROUTING_STATE_MODIFIED_ANNOTATION,
  type RoutingState,
  SERVICE_LABEL,
  SERVICE_UID_LABEL,
} from '../serving-labels.js'
import { revisionName } from '../serving-names.js'
import type { Configuration } from './schema.js'

/**
 * Which Revisions a Configuration has, and the one it makes for its present generation.
 * @see knative/serving v1.23 pkg/reconciler/configuration
 */

export function generationOf(revision: Revision): number {
  return Number(revision.metadata.labels?.[CONFIGURATION_GENERATION_LABEL] ?? 0)
}

/**
 * The stranger that has the name the template asks for: not this Configuration's, or made of another template.
 * Undefined when the template brings no name, or the name is free or rightly taken.
 */
export async function nameConflict(configuration: Configuration, client: Client): Promise<Revision | undefined> {
  const { namespace } = configuration.metadata
  const name = configuration.spec.template.metadata?.name
  const existing = name ? await client.find(revisionKind, { namespace, name }) : undefined
  return existing && !isOfPresentTemplate(existing, configuration) ? existing : undefined
}

/** Labels and annotations may have been edited since; the spec says whether it is the same Revision. */
export function isOfPresentTemplate(revision: Revision, configuration: Configuration): boolean {
  if (!isControlledBy(revision, configuration)) return false
  return generationOf(revision) === configuration.metadata.generation || semanticEqual(revision.spec, configuration.spec.template.spec)
}

/** The name of the Revision for the present generation. */
export function nameFor({ metadata, spec }: Configuration): string {
  return spec.template.metadata?.name || revisionName(metadata.name, metadata.generation!)
}

export function revisionFor(configuration: Configuration, nowMs: number): Draft<Revision> & { metadata: { name: string } } {
  const { metadata, spec } = configuration
  const template = spec.template.metadata
  const generation = metadata.generation!
  const routes = metadata.annotations?.[ROUTES_ANNOTATION]
  const creator = metadata.annotations?.[LAST_MODIFIER_ANNOTATION]
  const routingState: RoutingState = routes ? 'active' : 'pending'
  const own: Record<string, string | undefined> = {
    [CONFIGURATION_LABEL]: metadata.name,
    [CONFIGURATION_GENERATION_LABEL]: String(generation),
    [CONFIGURATION_UID_LABEL]: metadata.uid,
    [SERVICE_LABEL]: metadata.labels?.[SERVICE_LABEL],
    [SERVICE_UID_LABEL]: metadata.labels?.[SERVICE_UID_LABEL],
  }
  return {
    metadata: {
      name: nameFor(configuration),
      labels: {
        ...template?.labels,
        ...Object.fromEntries(Object.entries(own).filter((entry): entry is [string, string] => Boolean(entry[1]))),
        [ROUTING_STATE_LABEL]: routingState,
      },
      annotations: {
        ...template?.annotations,
        ...(creator && { [CREATOR_ANNOTATION]: creator }),
        ...(routes && { [ROUTES_ANNOTATION]: routes }),
        [ROUTING_STATE_MODIFIED_ANNOTATION]: timestamp(nowMs),
      },
    },
    spec: spec.template.spec,
  }
}

/**
 * The newest ready Revision that may become the latest ready one: of a generation from that of the present one to the
 * Configuration's own, so that it never moves back, but to the Revision whose name the template asks for.
 */
export function latestReadyRevision(configuration: Configuration, revisions: readonly Revision[]): Revision | undefined {
  const askedFor = configuration.spec.template.metadata?.name
  const present = revisions.find(({ metadata }) => metadata.name === configuration.status?.latestReadyRevisionName)
  const least = present ? generationOf(present) : 0
  const rank = (revision: Revision): number => (revision.metadata.name === askedFor ? Number.POSITIVE_INFINITY : generationOf(revision))
  return revisions
    .filter(
      (revision) =>
        rank(revision) >= least && (rank(revision) === Number.POSITIVE_INFINITY || rank(revision) <= configuration.metadata.generation!),
    )
    .sort((a, b) => rank(b) - rank(a))
    .find(isReady)
}
