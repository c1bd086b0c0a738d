import { labelSelectorMatches } from '../../apimachinery/selectors.js'
import { isAlreadyExists } from '../../apimachinery/status-error.js'
import type { Controller, ReconcilerDeps, Wake } from '../../controller/reconcile.js'
import { configMapKind } from '../core/configmap/kind.js'
import { namespaceKind } from '../core/namespace/kind.js'
import type { Namespace } from '../core/namespace/schema.js'
import { SUGAR_CONFIG, sugarSelector } from '../eventing-config.js'
import { EVENTING_CONTROLLER_USER, EVENTING_NAMESPACE, INJECTED_LABEL, OLD_INJECTION_ANNOTATION } from '../eventing-labels.js'
import { triggerKind } from '../trigger/kind.js'
import { brokerOf, type Trigger } from '../trigger/schema.js'
import { brokerKind } from './kind.js'

/**
 * Makes Brokers for namespaces and Triggers that ask for one. Nobody owns them: they stay when the asking ends.
 * @see knative/eventing v1.22 pkg/reconciler/sugar
 */

type Deps = Pick<ReconcilerDeps, 'client' | 'configMap' | 'event'>

const DEFAULT_BROKER = 'default'

const wokenBySugar: Wake = {
  kind: configMapKind,
  wakes: ({ metadata }, all) =>
    metadata.namespace === EVENTING_NAMESPACE && metadata.name === SUGAR_CONFIG ? all.list().map((object) => object.metadata) : [],
}

/** Gives each namespace that namespace-selector selects a Broker `default`. */
export function createNamespaceInjectionController(): Controller<Namespace> {
  return {
    kind: namespaceKind,
    actsAs: EVENTING_CONTROLLER_USER,
    eventSource: { component: 'namespace-controller' },
    wokenBy: [
      {
        kind: brokerKind,
        wakes: ({ metadata }) => (metadata.name === DEFAULT_BROKER && metadata.namespace ? [{ name: metadata.namespace }] : []),
      },
      wokenBySugar,
    ],
    create: (deps) => async (namespace) => {
      const { name, labels } = namespace.metadata
      const selector = sugarSelector(deps.configMap, 'namespace-selector')
      if (!selector || !labelSelectorMatches(selector, labels)) return {}
      if (await ensureBroker(name, DEFAULT_BROKER, deps))
        deps.event(namespace, 'Normal', 'BrokerCreated', 'Default eventing.knative.dev Broker created.')
      return {}
    },
  }
}

/** Gives each Trigger that trigger-selector selects, or that bears the annotation of old, the Broker it names. */
export function createTriggerInjectionController(): Controller<Trigger> {
  return {
    kind: triggerKind,
    actsAs: EVENTING_CONTROLLER_USER,
    wokenBy: [
      {
        kind: brokerKind,
        wakes: ({ metadata }, all) =>
          all
            .list(metadata.namespace)
            .filter((trigger) => brokerOf(trigger as Trigger).name === metadata.name)
            .map((trigger) => trigger.metadata),
      },
      wokenBySugar,
    ],
    create: (deps) => async (trigger) => {
      const { namespace = '', labels, annotations } = trigger.metadata
      const { broker } = trigger.spec
      const selector = sugarSelector(deps.configMap, 'trigger-selector')
      const isSelected = selector !== undefined && labelSelectorMatches(selector, labels)
      if (!broker || !(isSelected || annotations?.[OLD_INJECTION_ANNOTATION] === 'enabled')) return {}
      if (await ensureBroker(namespace, broker, deps))
        deps.event(trigger, 'Normal', 'BrokerCreated', `Default eventing.knative.dev Broker ${JSON.stringify(broker)} created.`)
      return {}
    },
  }
}

/** Whether it had to be made. */
async function ensureBroker(namespace: string, name: string, { client }: Deps): Promise<boolean> {
  if (await client.find(brokerKind, { namespace, name })) return false
  try {
    await client.create(brokerKind, { metadata: { namespace, name, labels: { [INJECTED_LABEL]: 'true' } } })
    return true
  } catch (error) {
    if (isAlreadyExists(error)) return false
    throw error
  }
}
