import { causes } from '../../../apimachinery/causes.js'
import { dns1123Label } from '../../../apimachinery/names.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import type { Container, EnvVar, Hook, PodSpec, Probe } from './schema.js'

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never']
const RESTART_POLICIES = ['Always', 'Never', 'OnFailure']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const MESSAGE_POLICIES = ['FallbackToLogsOnError', 'File']
const NOT_NEGATIVE = 'must be greater than or equal to 0'
const ENV_NAME = "a valid environment variable name must consist only of printable ASCII characters other than '='"
/** IANA service names (RFC 6335), as port names must be. */
const PORT_NAME = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens ('-')"

/**
 * Findings about a PodSpec at `path` (`spec`, `spec.template.spec`), in the API server's words.
 * @see kubernetes/kubernetes v1.35 pkg/apis/core/validation/validation.go ValidatePodSpec
 */
export function validatePodSpec(spec: PodSpec, path: string): Cause[] {
  const found: Cause[] = []
  const names = new Set<string>()
  const volumes = new Set<string>()
  spec.volumes?.forEach(({ name }, index) => {
    found.push(...nameCauses(name, `${path}.volumes[${index}].name`, volumes))
  })
  const graceSeconds = spec.terminationGracePeriodSeconds ?? 30
  if (spec.containers.length === 0) found.push(causes.required(`${path}.containers`))
  spec.initContainers?.forEach((container, index) => {
    found.push(...containerCauses(container, `${path}.initContainers[${index}]`, { names, volumes, graceSeconds }))
    if (container.restartPolicy !== 'Always') {
      for (const probe of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
        if (container[probe])
          found.push(
            causes.forbidden(
              `${path}.initContainers[${index}].${probe}`,
              'may not be set for init containers without restartPolicy=Always',
            ),
          )
      }
    }
  })
  spec.containers.forEach((container, index) => {
    found.push(...containerCauses(container, `${path}.containers[${index}]`, { names, volumes, graceSeconds }))
  })
  if (!RESTART_POLICIES.includes(spec.restartPolicy ?? ''))
    found.push(causes.notSupported(`${path}.restartPolicy`, spec.restartPolicy, RESTART_POLICIES))
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0)
    found.push(causes.invalid(`${path}.terminationGracePeriodSeconds`, spec.terminationGracePeriodSeconds, NOT_NEGATIVE))
  return found
}

function nameCauses(name: string | undefined, path: string, taken: Set<string>): Cause[] {
  if (!name) return [causes.required(path)]
  const found = dns1123Label(name).map((problem) => causes.invalid(path, name, problem))
  if (taken.has(name)) found.push(causes.duplicate(path, name))
  taken.add(name)
  return found
}

function containerCauses(
  container: Container,
  path: string,
  { names, volumes, graceSeconds }: { names: Set<string>; volumes: ReadonlySet<string>; graceSeconds: number },
): Cause[] {
  const found = nameCauses(container.name, `${path}.name`, names)
  if (!container.image) found.push(causes.required(`${path}.image`))
  else if (container.image !== container.image.trim())
    found.push(causes.invalid(`${path}.image`, container.image, 'must not have leading or trailing whitespace'))
  if (!PULL_POLICIES.includes(container.imagePullPolicy ?? ''))
    found.push(causes.notSupported(`${path}.imagePullPolicy`, container.imagePullPolicy, PULL_POLICIES))
  if (!MESSAGE_POLICIES.includes(container.terminationMessagePolicy ?? ''))
    found.push(causes.notSupported(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, MESSAGE_POLICIES))
  found.push(...portCauses(container, path))
  container.env?.forEach((variable, index) => {
    found.push(...envCauses(variable, `${path}.env[${index}]`))
  })
  const mountPaths = new Set<string>()
  container.volumeMounts?.forEach(({ name, mountPath }, index) => {
    const mount = `${path}.volumeMounts[${index}]`
    if (!name) found.push(causes.required(`${mount}.name`))
    else if (!volumes.has(name)) found.push(causes.notFound(`${mount}.name`, name))
    if (!mountPath) found.push(causes.required(`${mount}.mountPath`))
    else if (mountPaths.has(mountPath)) found.push(causes.invalid(`${mount}.mountPath`, mountPath, 'must be unique'))
    mountPaths.add(mountPath)
  })
  for (const kind of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    const probe = container[kind]
    if (!probe) continue
    found.push(...probeCauses(probe, `${path}.${kind}`))
    if (kind !== 'readinessProbe' && probe.successThreshold !== 1)
      found.push(causes.invalid(`${path}.${kind}.successThreshold`, probe.successThreshold, 'must be 1'))
  }
  for (const name of ['postStart', 'preStop'] as const) {
    const hook = container.lifecycle?.[name]
    if (hook) found.push(...hookCauses(hook, `${path}.lifecycle.${name}`, graceSeconds))
  }
  return found
}

function portCauses({ ports = [] }: Container, path: string): Cause[] {
  const names = new Set<string>()
  return ports.flatMap(({ name, containerPort, protocol }, index) => {
    const found: Cause[] = []
    const port = `${path}.ports[${index}]`
    if (name !== undefined && name !== '') {
      if (name.length > 15) found.push(causes.invalid(`${port}.name`, name, 'must be no more than 15 characters'))
      else if (!/^[-a-z0-9]+$/.test(name)) found.push(causes.invalid(`${port}.name`, name, PORT_NAME))
      else if (!/[a-z]/.test(name)) found.push(causes.invalid(`${port}.name`, name, 'must contain at least one letter (a-z)'))
      else if (names.has(name)) found.push(causes.duplicate(`${port}.name`, name))
      names.add(name)
    }
    if (!containerPort) found.push(causes.required(`${port}.containerPort`))
    else if (!isPort(containerPort))
      found.push(causes.invalid(`${port}.containerPort`, containerPort, 'must be between 1 and 65535, inclusive'))
    if (!PROTOCOLS.includes(protocol ?? '')) found.push(causes.notSupported(`${port}.protocol`, protocol, PROTOCOLS))
    return found
  })
}

function envCauses({ name, value, valueFrom }: EnvVar, path: string): Cause[] {
  if (!name) return [causes.required(`${path}.name`)]
  const found: Cause[] = []
  if (!/^[ -<>-~]+$/.test(name)) found.push(causes.invalid(`${path}.name`, name, ENV_NAME))
  if (!valueFrom) return found
  const sources = Object.values(valueFrom).filter((source) => source !== undefined)
  if (sources.length === 0)
    found.push(
      causes.invalid(`${path}.valueFrom`, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`'),
    )
  else if (value) found.push(causes.invalid(`${path}.valueFrom`, '', 'may not be specified when `value` is not empty'))
  else if (sources.length > 1) found.push(causes.invalid(`${path}.valueFrom`, '', 'may not have more than one field specified at a time'))
  for (const reference of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const source = valueFrom[reference]
    if (!source) continue
    if (!source.name) found.push(causes.required(`${path}.valueFrom.${reference}.name`))
    if (!source.key) found.push(causes.required(`${path}.valueFrom.${reference}.key`))
  }
  return found
}

const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const

function handlerCauses(handler: Probe & Hook, path: string): Cause[] {
  const found: Cause[] = []
  const given = HANDLERS.filter((name) => handler[name])
  if (given.length === 0) found.push(causes.required(path, 'must specify a handler type'))
  for (const extra of given.slice(1)) found.push(causes.forbidden(`${path}.${extra}`, 'may not specify more than 1 handler type'))
  if (handler.exec && !handler.exec.command?.length) found.push(causes.required(`${path}.exec.command`))
  for (const name of ['httpGet', 'tcpSocket', 'grpc'] as const) {
    const port = handler[name]?.port
    if (typeof port === 'number' && !isPort(port))
      found.push(causes.invalid(`${path}.${name}.port`, port, 'must be between 1 and 65535, inclusive'))
  }
  return found
}

function hookCauses(hook: Hook, path: string, graceSeconds: number): Cause[] {
  const found = handlerCauses(hook, path)
  const { seconds } = hook.sleep ?? {}
  if (seconds !== undefined && (seconds < 0 || seconds > graceSeconds)) {
    const bounds = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`
    found.push(causes.invalid(`${path}.sleep`, seconds, bounds))
  }
  return found
}

function probeCauses(probe: Probe, path: string): Cause[] {
  const found = handlerCauses(probe, path)
  for (const field of ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const) {
    const value = probe[field]
    if (value !== undefined && value < 0) found.push(causes.invalid(`${path}.${field}`, value, NOT_NEGATIVE))
  }
  return found
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535
}
