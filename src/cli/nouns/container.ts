import { canonicalQuantity } from '../../apimachinery/quantity.js'
import type { Container, ContainerPort, PodSpec, ResourceRequirements } from '../../kinds/core/pod/schema.js'
import { type GivenFlag, usageError } from '../arguments.js'
import { environmentFrom, environmentSourcesFrom } from './environment.js'
import { changesFrom } from './key-values.js'
import { probeFrom } from './probes.js'
import type { ContainerFlagValues } from './service-flags.js'
import { volumesFrom } from './volumes.js'

/**
 * A Pod's spec after the container flags, whose first container they are about. Pure; `readFile` is for --env-file.
 * Throws a usage error in kn's words.
 */
export function podSpecFrom<T extends Partial<PodSpec>>(
  before: T,
  flags: ContainerFlagValues,
  given: readonly GivenFlag[],
  readFile: (path: string) => string,
): T {
  const [first = {} as Container, ...others] = before.containers ?? []
  const { volumes, mounts } = volumesFrom({ volumes: before.volumes ?? [], mounts: first.volumeMounts ?? [] }, flags)
  const container = compact<Container>({
    ...first,
    image: flags.image ?? first.image,
    command: flags.cmd ?? first.command,
    args: flags.arg ?? first.args,
    env: environmentFrom(first.env, given, readFile),
    envFrom: environmentSourcesFrom(first.envFrom, flags['env-from']),
    ports: flags.port === undefined ? first.ports : portsFrom(flags.port),
    resources: resourcesFrom(first.resources, flags),
    imagePullPolicy: pullPolicyFrom(flags['pull-policy']) ?? first.imagePullPolicy,
    securityContext: securityContextFrom(first.securityContext, flags, given),
    livenessProbe: probeFrom(first.livenessProbe, flags['probe-liveness'], flags['probe-liveness-opts']),
    readinessProbe: probeFrom(first.readinessProbe, flags['probe-readiness'], flags['probe-readiness-opts']),
    volumeMounts: mounts,
  })
  const account = flags['service-account']
  const pullSecret = flags['pull-secret']
  return compact({
    ...before,
    containers: [container, ...others],
    volumes,
    serviceAccountName: account ?? before.serviceAccountName,
    imagePullSecrets: pullSecret === undefined ? before.imagePullSecrets : pullSecret === '' ? [] : [{ name: pullSecret }],
  }) as T
}

/** Without what is empty, which is how Go's `omitempty` sends it. */
function compact<T extends object>(object: { [K in keyof T]: T[K] | undefined }): T {
  const isEmpty = (value: unknown): boolean =>
    value === undefined || value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
  return Object.fromEntries(Object.entries(object).filter(([, value]) => !isEmpty(value))) as T
}

function portsFrom(text: string): ContainerPort[] {
  if (text === '') return []
  const parts = /^(?:([a-z0-9-]+):)?(\d+)$/.exec(text)
  if (!parts) {
    throw usageError(
      `the port specification '${text}' is not valid. Please provide in the format 'NAME:PORT', where 'NAME' is optional. Examples: '--port h2c:8080' , '--port 8080'.`,
    )
  }
  return [{ containerPort: Number(parts[2]), ...(parts[1] && { name: parts[1] }) }]
}

function pullPolicyFrom(text: string | undefined): string | undefined {
  if (!text) return undefined
  const found = ['Always', 'Never', 'IfNotPresent'].find((policy) => policy.toLowerCase() === text.toLowerCase())
  if (!found) throw usageError(`invalid --pull-policy ${text}. Valid arguments (case insensitive): Always | Never | IfNotPresent`)
  return found
}

function resourcesFrom(
  before: ResourceRequirements | undefined,
  { limit, request }: ContainerFlagValues,
): ResourceRequirements | undefined {
  if (!limit && !request) return before
  return compact<ResourceRequirements>({
    limits: quantitiesFrom(before?.limits, limit),
    requests: quantitiesFrom(before?.requests, request),
  })
}

function quantitiesFrom(
  before: Record<string, string> | undefined,
  words: readonly string[] | undefined,
): Record<string, string> | undefined {
  if (!words) return before
  const { set, remove } = changesFrom(words, { unique: true })
  const next = { ...before }
  for (const [name, text] of set) {
    const quantity = canonicalQuantity(text)
    if (quantity === undefined) {
      throw usageError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    }
    next[name] = quantity
  }
  for (const name of remove) delete next[name]
  return next
}

const STRICT = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}

function securityContextFrom(
  before: Record<string, unknown> | undefined,
  flags: ContainerFlagValues,
  given: readonly GivenFlag[],
): Record<string, unknown> | undefined {
  let context = before
  if (given.some(({ name }) => name === 'security-context')) {
    const wanted = (flags['security-context'] ?? '').toLowerCase()
    if (wanted !== 'none' && wanted !== 'strict')
      throw usageError(`invalid --security-context ${flags['security-context']}. Valid arguments: strict | none`)
    context = wanted === 'strict' ? { ...STRICT } : {}
  }
  return flags.user === undefined ? context : { ...context, runAsUser: flags.user }
}
