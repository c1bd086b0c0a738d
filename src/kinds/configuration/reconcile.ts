import { conditionsOf, readyCondition } from '../../apimachinery/conditions.js'
import { controllerReference, isControlledBy } from '../../apimachinery/object.js'
import { isAlreadyExists, isNotFound, refusals, StatusError } from '../../apimachinery/status-error.js'
import type { Controller, Outcome, ReconcilerDeps, Wake } from '../../controller/reconcile.js'
import { isLeftover } from '../leftover.js'
import { revisionKind } from '../revision/kind.js'
import type { Revision } from '../revision/schema.js'
import { gcConfig } from '../serving-config.js'
import { CONFIGURATION_LABEL, SERVING_CONTROLLER_USER } from '../serving-labels.js'
import { revisionsToCollect } from './collect-revisions.js'
import { configurationKind } from './kind.js'
import { generationOf, isOfPresentTemplate, latestReadyRevision, nameFor, revisionFor } from './revisions.js'
import { CONFIGURATION_CONDITIONS, type Configuration, REVISION_FAILED } from './schema.js'

type Deps = Pick<ReconcilerDeps, 'client' | 'clock' | 'configMap' | 'event'>

/** How long a refused creation waits for what no watch would tell, such as a namespace's quota. */
const RETRY_REFUSED_MS = 10_000

/**
 * Makes a Revision of every generation and knows which one was created last and which one is the last that became ready.
 * @see knative/serving v1.23 pkg/reconciler/configuration/configuration.go
 */
export function createConfigurationController(): Controller<Configuration> {
  return {
    kind: configurationKind,
    actsAs: SERVING_CONTROLLER_USER,
    owns: [revisionKind],
    // A stranger that has a name we need, and goes away.
    wokenBy: [{ kind: revisionKind, wakes: byName }],
    create: (deps) => (configuration) => reconcileConfiguration(configuration, deps),
  }
}

/** The Configuration a Revision was made from, whichever owns it, and those that ask for a Revision of its name. */
const byName: Wake['wakes'] = ({ metadata }, all) => {
  const { namespace, name, labels } = metadata
  const made = labels?.[CONFIGURATION_LABEL]
  const asking = all.list(namespace).filter((configuration) => (configuration as Configuration).spec.template.metadata?.name === name)
  return [...(made ? [{ namespace, name: made }] : []), ...asking.map((configuration) => configuration.metadata)]
}

async function reconcileConfiguration(configuration: Configuration, deps: Deps): Promise<Outcome<Configuration>> {
  const { client, clock, event } = deps
  const { namespace, name } = configuration.metadata
  const conditions = conditionsOf(configuration, CONFIGURATION_CONDITIONS, clock.now())
  const status: NonNullable<Configuration['status']> = { ...configuration.status }
  const outcome = () => ({ status: { ...status, conditions: conditions.list() } })

  const labelled = await client.list(revisionKind, namespace, { labelSelector: `${CONFIGURATION_LABEL}=${name}` })
  // Not those that a predecessor of the same name left behind.
  const revisions = labelled.filter((revision) => isControlledBy(revision, configuration))
  let latest: Revision
  try {
    latest = await latestCreatedRevision(configuration, revisions, deps)
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    if (isAlreadyExists(error) && (await isLeftover(client, revisionKind, configuration, nameFor(configuration)))) return outcome()
    event(configuration, 'Warning', 'CreationFailed', `Failed to create Revision: ${error.message}`)
    conditions.isFalse('Ready', REVISION_FAILED, `Revision creation failed with message: ${error.message}.`)
    // A taken name wakes us when it is free again.
    return { ...outcome(), ...(!isAlreadyExists(error) && { requeueAfterMs: RETRY_REFUSED_MS }) }
  }

  status.latestCreatedRevisionName = latest.metadata.name
  if (status.latestReadyRevisionName !== latest.metadata.name) conditions.isUnknown('Ready', '', '')
  const ready = readyCondition(latest)
  if (ready?.status === 'True' && !status.latestReadyRevisionName) {
    event(configuration, 'Normal', 'ConfigurationReady', 'Configuration becomes ready')
  }
  if (ready?.status === 'False') {
    const wasFailed = readyCondition(configuration)?.reason === REVISION_FAILED
    if (!wasFailed) event(configuration, 'Warning', 'LatestCreatedFailed', `Latest created revision "${latest.metadata.name}" has failed`)
    conditions.isFalse('Ready', REVISION_FAILED, `Revision "${latest.metadata.name}" failed with message: ${ready.message ?? ''}.`)
  }

  const all = revisions.some(({ metadata }) => metadata.name === latest.metadata.name) ? revisions : [...revisions, latest]
  const next = latestReadyRevision(configuration, all)?.metadata.name
  if (next) {
    if (next !== status.latestReadyRevisionName)
      event(configuration, 'Normal', 'LatestReadyUpdate', `LatestReadyRevisionName updated to "${next}"`)
    status.latestReadyRevisionName = next
    if (next === latest.metadata.name) conditions.isTrue('Ready')
  }

  for (const { metadata } of revisionsToCollect({ ...configuration, status }, all, gcConfig(deps.configMap), clock.now())) {
    await client.delete(revisionKind, metadata, { preconditions: { uid: metadata.uid! } }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
  }
  return outcome()
}

/** The Revision of the present generation, made if there is none. Throws AlreadyExists when a stranger has its name. */
async function latestCreatedRevision(configuration: Configuration, revisions: readonly Revision[], deps: Deps): Promise<Revision> {
  const { client, clock, event } = deps
  const { namespace, generation } = configuration.metadata
  const askedFor = configuration.spec.template.metadata?.name
  const existing = askedFor
    ? await client.find(revisionKind, { namespace, name: askedFor })
    : revisions.find((revision) => generationOf(revision) === generation)
  if (existing) {
    if (askedFor && !isOfPresentTemplate(existing, configuration)) throw refusals.alreadyExists(revisionKind, askedFor)
    return existing
  }
  const draft = revisionFor(configuration, clock.now())
  const created = await client.create(revisionKind, {
    ...draft,
    metadata: { ...draft.metadata, namespace: namespace!, ownerReferences: [controllerReference(configuration)] },
  })
  event(configuration, 'Normal', 'Created', `Created Revision "${created.metadata.name}"`)
  return created
}
