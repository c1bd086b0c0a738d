import type { AdmissionPlugin } from '../../apimachinery/admission-plugin.js'
import { refusals } from '../../apimachinery/status-error.js'
import type { ConfigMap } from '../core/configmap/schema.js'
import { crc32 } from './crc32.js'
import { type ConfigData, ConfigError } from './parse.js'
import { checkAutoscaler, checkDefaults, checkDeployment, checkGc, checkNetwork } from './serving.js'
import { checkLeaderElection, checkLogging, checkObservability } from './shared.js'

type Check = (data: ConfigData) => void
const anything: Check = () => {}

/** The webhooks that look after Knative's configurations: by namespace, and there by the ConfigMap's name. */
const WEBHOOKS: ReadonlyMap<string, { name: string; checks: ReadonlyMap<string, Check> }> = new Map([
  [
    'knative-serving',
    {
      name: 'config.webhook.serving.knative.dev',
      checks: new Map([
        ['config-autoscaler', checkAutoscaler],
        ['config-defaults', checkDefaults],
        ['config-deployment', checkDeployment],
        ['config-domain', anything],
        ['config-features', anything],
        ['config-gc', checkGc],
        ['config-leader-election', checkLeaderElection],
        ['config-logging', checkLogging],
        ['config-network', checkNetwork],
        ['config-observability', checkObservability],
      ]),
    },
  ],
  [
    'knative-eventing',
    {
      name: 'config.webhook.eventing.knative.dev',
      checks: new Map([
        ['config-leader-election', checkLeaderElection],
        ['config-logging', checkLogging],
        ['config-observability', checkObservability],
        ['config-sugar', anything],
      ]),
    },
  ],
])

const EXAMPLE_KEY = '_example'
const EXAMPLE_CHECKSUM = 'knative.dev/example-checksum'

/**
 * Refuses values in Knative's ConfigMaps that its components could not use, and changes to the examples in them, which have no effect.
 * @see knative.dev/pkg webhook/configmaps/configmaps.go
 */
export const knativeConfigs: AdmissionPlugin = {
  validate(object, { resource, namespace = '' }) {
    if (resource !== 'configmaps') return
    const webhook = WEBHOOKS.get(namespace)
    const check = webhook?.checks.get(object.metadata.name)
    if (!webhook || !check) return
    const { data = {}, metadata } = object as ConfigMap
    const problem = exampleProblem(data, metadata.annotations) ?? problemIn(data, check)
    if (problem !== undefined)
      throw refusals.badRequest(`admission webhook ${JSON.stringify(webhook.name)} denied the request: validation failed: ${problem}`)
  },
}

function problemIn(data: ConfigData, check: Check): string | undefined {
  try {
    check(data)
    return undefined
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

/** Leading and trailing spaces do not count (knative.dev/pkg configmap/example.go). */
function exampleProblem(data: ConfigData, annotations: Readonly<Record<string, string>> = {}): string | undefined {
  const example = data[EXAMPLE_KEY]
  const checksum = annotations[EXAMPLE_CHECKSUM]
  if (example === undefined || checksum === undefined || crc32(example.trim()) === checksum) return undefined
  return `the update modifies a key in "${EXAMPLE_KEY}" which is probably not what you want. Instead, copy the respective setting to the top-level of the ConfigMap, directly below "data"`
}
