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
import { isOfPresentTemplate, latestReadyRevision, nameFor, revisionFor } from './revisions.js'
import { CONFIGURATION_CONDITIONS, type Configuration, REVISION_FAILED } from './schema.js'

type Deps = Pick<ReconcilerDeps, 'client' | 'clock' | 'configMap' | 'event' | 'informer'>

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

/** The Configuration a Revision was made from, whichever owns it, and one that asks for a Revision of its name. */
const byName: Wake['wakes'] = ({ metadata }, all) => {
  const { namespace, name, labels } = metadata
  const made = labels?.[CONFIGURATION_LABEL]
  const names = new Set(made ? [made] : [])
  // A name of the user's own starts with that of the Configuration and a dash.
  for (let dash = name.indexOf('-'); dash > 0; dash = name.indexOf('-', dash + 1)) {
    const asking = all.get({ namespace, name: name.slice(0, dash) }) as Configuration | undefined
    if (asking?.spec.template.metadata?.name === name) names.add(asking.metadata.name)
  }
  return [...names].map((configuration) => ({ namespace, name: configuration }))
}

async function reconcileConfiguration(configuration: Configuration, deps: Deps): Promise<Outcome<Configuration>> {
  const { client, clock, event } = deps
  const { namespace } = configuration.metadata
  const conditions = conditionsOf(configuration, CONFIGURATION_CONDITIONS, clock.now())
  const status: NonNullable<Configuration['status']> = { ...configuration.status }
  const outcome = () => ({ status: { ...status, conditions: conditions.list() } })

  let latest: Revision
  try {
    latest = await latestCreatedRevision(configuration, deps)
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

  // Not those that a predecessor of the same name left behind.
  const others = deps
    .informer(revisionKind)
    .list(namespace)
    .filter((revision) => isControlledBy(revision, configuration) && revision.metadata.name !== latest.metadata.name)
  const all = [...others, latest]
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
async function latestCreatedRevision(configuration: Configuration, deps: Deps): Promise<Revision> {
  const { client, clock, event } = deps
  const { namespace } = configuration.metadata
  const draft = revisionFor(configuration, clock.now())
  const existing = await client.find(revisionKind, { namespace, name: draft.metadata.name })
  if (existing) {
    if (!isOfPresentTemplate(existing, configuration)) throw refusals.alreadyExists(revisionKind, draft.metadata.name)
    return existing
  }
  const created = await client.create(revisionKind, {
    ...draft,
    metadata: { ...draft.metadata, namespace: namespace!, ownerReferences: [controllerReference(configuration)] },
  })
  event(configuration, 'Normal', 'Created', `Created Revision "${created.metadata.name}"`)
  return created
}
