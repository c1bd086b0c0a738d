import { type CelProgram, compileCel } from '../../apimachinery/cel/program.js'
import {
  type AdmissionWebhook,
  MUTATING_CONFIGURATIONS,
  VALIDATING_CONFIGURATIONS,
  type WebhookConfiguration,
} from '../../apimachinery/webhook-configuration.js'
import type { StoreView } from '../../store/store.js'

/** A webhook, read once from its configuration. */
export interface Hook {
  /** Tells it from every other one, and from itself as it was before its configuration changed. */
  id: string
  name: string
  isMutating: boolean
  webhook: AdmissionWebhook
  timeoutSeconds: number
  /** What matchConditions ask, by name. */
  conditions: readonly { name: string; program: CelProgram }[]
  reviewVersion: 'v1' | 'v1beta1'
}

/** The webhooks that are configured at this moment, in the order in which they are called. */
export interface Hooks {
  readonly mutating: readonly Hook[]
  readonly validating: readonly Hook[]
  stop(): void
}

/** admissionregistration.k8s.io/v1, SetDefaults_ValidatingWebhook. */
const DEFAULT_TIMEOUT_SECONDS = 10

/**
 * Follows both kinds of configurations in the store: a webhook counts from the write that configures it. Configurations are
 * taken in the order of their names, as upstream does.
 * @see kubernetes/apiserver v0.35 pkg/admission/configuration
 */
export function followHooks(store: Pick<StoreView, 'list' | 'watch'>): Hooks {
  const mutating = follow(store, MUTATING_CONFIGURATIONS, true)
  const validating = follow(store, VALIDATING_CONFIGURATIONS, false)
  return {
    get mutating() {
      return mutating.hooks()
    },
    get validating() {
      return validating.hooks()
    },
    stop() {
      mutating.stop()
      validating.stop()
    },
  }
}

function follow(
  store: Pick<StoreView, 'list' | 'watch'>,
  resource: string,
  isMutating: boolean,
): { hooks(): readonly Hook[]; stop(): void } {
  const byName = new Map<string, readonly Hook[]>()
  let all: readonly Hook[] = []
  const put = (name: string, configuration: WebhookConfiguration | undefined): void => {
    if (configuration) byName.set(name, hooksOf(configuration, isMutating))
    else byName.delete(name)
    all = [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, hooks]) => hooks)
  }
  const known = store.list(resource)
  for (const configuration of known.items) put(configuration.metadata.name, configuration)
  const stop = store.watch({ resource, fromVersion: known.version }, ({ type, key, object }) =>
    put(key.name, type === 'DELETED' ? undefined : object),
  )
  return { hooks: () => all, stop }
}

function hooksOf({ metadata, webhooks = [] }: WebhookConfiguration, isMutating: boolean): Hook[] {
  return webhooks.map((webhook, index) => ({
    id: `${metadata.uid}/${metadata.resourceVersion}/${index}`,
    name: webhook.name,
    isMutating,
    webhook,
    timeoutSeconds: webhook.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
    conditions: (webhook.matchConditions ?? []).map(({ name, expression }) => ({ name, program: compileCel(expression) })),
    // The first one that the server knows.
    reviewVersion:
      webhook.admissionReviewVersions?.find((version) => version === 'v1' || version === 'v1beta1') === 'v1beta1' ? 'v1beta1' : 'v1',
  }))
}
