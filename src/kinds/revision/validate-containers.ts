import { also, type FieldError, fieldError, findings, viaField, viaIndex } from '../../apimachinery/field-error.js'
import type { Container, ContainerPort, EnvFromSource, EnvVar, PodSpec } from '../core/pod/schema.js'
import { QUEUE_PROXY } from '../core/pod/schema.js'
import { feature, type ReadConfigMap, securePodDefaults } from '../serving-config.js'
import { imageReferenceFrom } from './image-reference.js'
import { DEFAULT_USER_PORT } from './schema.js'
import { CONTAINER_FIELDS, onlyFields, podSpecFlag } from './validate-fields.js'
import { type ServingPort, validateProbe, validateReadinessProbe, validateSidecarProbe } from './validate-probes.js'
import { type Volume, validateMounts } from './validate-volumes.js'

/**
 * Containers of a Revision, as Serving's webhook judges them.
 * @see knative/serving v1.23 pkg/apis/serving/k8s_validation.go
 */

const RESERVED_VARIABLES = ['PORT', 'K_SERVICE', 'K_CONFIGURATION', 'K_REVISION'] as const
const RESERVED_PORTS: ReadonlySet<number> = new Set([8008, 8012, 8013, 8022, 9090, 9091])
const PORT_NAMES: ReadonlySet<string> = new Set(['', 'h2c', 'http1'])
const MAX_INT32 = 2_147_483_647

type Role = 'serving' | 'sidecar' | 'init'

/** All containers of a Pod; paths are relative to its spec. */
export function validateContainers(spec: PodSpec, configMap: ReadConfigMap): FieldError | undefined {
  const containers = spec.containers ?? []
  const volumes = spec.volumes ?? []
  const { port, error } = servingPort(containers)
  return also(
    validateInitContainers(spec, volumes, configMap),
    viaField('containers[*]', error),
    containers.length === 0
      ? findings.missingField('containers')
      : containers.length === 1
        ? viaField('containers', viaIndex(0, validateContainer(containers[0]!, 'serving', volumes, port, configMap)))
        : validateSeveral(containers, volumes, port, configMap),
  )
}

function validateSeveral(
  containers: readonly Container[],
  volumes: readonly Volume[],
  port: ServingPort,
  configMap: ReadConfigMap,
): FieldError | undefined {
  if (feature(configMap, 'multi-container') !== 'Enabled') {
    return fieldError(`multi-container is off, but found ${containers.length} containers`, [])
  }
  const names = new Set<string>()
  return also(
    ...containers.map((container, index) => {
      const isDuplicate = names.has(container.name)
      names.add(container.name)
      const role: Role = (container.ports?.length ?? 0) > 0 ? 'serving' : 'sidecar'
      return viaField(
        `containers[${index}]`,
        also(
          isDuplicate ? fieldError(`duplicate container name "${container.name}"`, 'name') : undefined,
          validateContainer(container, role, volumes, port, configMap),
        ),
      )
    }),
  )
}

function validateInitContainers(spec: PodSpec, volumes: readonly Volume[], configMap: ReadConfigMap): FieldError | undefined {
  const initContainers = spec.initContainers ?? []
  if (initContainers.length === 0) return undefined
  if (podSpecFlag(configMap, 'init-containers') !== 'Enabled') {
    return fieldError(`pod spec support for init-containers is off, but found ${initContainers.length} init containers`, [])
  }
  const names = new Set((spec.containers ?? []).map(({ name }) => name))
  const notAllowed = ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'] as const
  return also(
    ...initContainers.map((container, index) =>
      // `containers`, not `initContainers`: Knative's own paths say so.
      viaField(
        `containers[${index}]`,
        also(
          names.has(container.name) ? fieldError(`duplicate container name "${container.name}"`, 'name') : undefined,
          ...notAllowed.filter((field) => container[field]).map((field) => fieldError('field not allowed in an init container', field)),
          validateCommon(container, 'init', volumes, configMap),
        ),
      ),
    ),
  )
}

/** The one port that requests reach, for probes that name it. */
function servingPort(containers: readonly Container[]): { port: ServingPort; error?: FieldError } {
  const ports = containers.flatMap((container) => container.ports ?? [])
  const first = containers.findLast((container) => (container.ports?.length ?? 0) > 0)?.ports?.[0]
  const port = { name: first?.name || 'http', containerPort: first?.containerPort || DEFAULT_USER_PORT }
  if (ports.length === 0 && containers.length > 1) return { port, error: findings.missingField('ports') }
  if (ports.length > 1) {
    return {
      port,
      error: fieldError('more than one container port is set', 'ports', 'Only a single port is allowed across all containers'),
    }
  }
  return { port }
}

function validateContainer(
  container: Container,
  role: 'serving' | 'sidecar',
  volumes: readonly Volume[],
  port: ServingPort,
  configMap: ReadConfigMap,
): FieldError | undefined {
  if (role === 'serving') {
    return also(
      viaField('livenessProbe', validateProbe(container.livenessProbe, port)),
      viaField('readinessProbe', validateReadinessProbe(container.readinessProbe, port)),
      viaField('startupProbe', validateProbe(container.startupProbe, port)),
      validateCommon(container, role, volumes, configMap),
    )
  }
  const mayProbe = feature(configMap, 'multi-container-probing') === 'Enabled'
  return also(
    viaField('livenessProbe', validateSidecarProbe(container.livenessProbe, mayProbe, false)),
    viaField('readinessProbe', validateSidecarProbe(container.readinessProbe, mayProbe, true)),
    viaField('startupProbe', validateSidecarProbe(container.startupProbe, mayProbe, false)),
    validateCommon(container, role, volumes, configMap),
  )
}

function validateCommon(container: Container, role: Role, volumes: readonly Volume[], configMap: ReadConfigMap): FieldError | undefined {
  if (isEmptyContainer(container)) return findings.missingField('')
  const policy = container.terminationMessagePolicy
  return also(
    onlyFields(container, CONTAINER_FIELDS),
    container.name === QUEUE_PROXY ? fieldError(`"${container.name}" is a reserved container name`, 'name') : undefined,
    viaField('env', also(...(container.env ?? []).map((variable, index) => viaIndex(index, validateVariable(variable, role, configMap))))),
    viaField('envFrom', also(...(container.envFrom ?? []).map((source, index) => validateEnvFrom(source, index)))),
    validateImage(container.image),
    viaField('ports', validatePorts(container.ports ?? [], role)),
    viaField('resources', onlyFields(container.resources, ['limits', 'requests'])),
    viaField('securityContext', validateSecurityContext(container.securityContext, configMap)),
    policy && policy !== 'File' && policy !== 'FallbackToLogsOnError'
      ? findings.invalidValue(policy, 'terminationMessagePolicy')
      : undefined,
    viaField('volumeMounts', validateMounts(container.volumeMounts ?? [], volumes, configMap)),
  )
}

/** `{}`, or only empty values. */
function isEmptyContainer(container: Container): boolean {
  return Object.entries(container).every(
    ([, value]) => value === undefined || value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0),
  )
}

function validateVariable(variable: EnvVar, role: Role, configMap: ReadConfigMap): FieldError | undefined {
  const reserved: readonly string[] = role === 'serving' ? RESERVED_VARIABLES : RESERVED_VARIABLES.slice(1)
  const mayReferToFields = podSpecFlag(configMap, 'fieldref') !== 'Disabled'
  return also(
    !variable.name
      ? findings.missingField('name')
      : reserved.includes(variable.name)
        ? fieldError(`"${variable.name}" is a reserved environment variable`, 'name')
        : undefined,
    viaField(
      'valueFrom',
      onlyFields(variable.valueFrom, ['configMapKeyRef', 'secretKeyRef', ...(mayReferToFields ? ['fieldRef', 'resourceFieldRef'] : [])]),
    ),
  )
}

/** Exactly one source. Without the index, as upstream: that finding is added after the item's. */
function validateEnvFrom(source: EnvFromSource, index: number): FieldError | undefined {
  const { configMapRef, secretRef } = source
  return also(
    viaIndex(index, onlyFields(source, ['prefix', 'configMapRef', 'secretRef'])),
    configMapRef && secretRef ? findings.multipleOneOf('configMapRef', 'secretRef') : undefined,
    !configMapRef && !secretRef ? findings.missingOneOf('configMapRef', 'secretRef') : undefined,
  )
}

function validateImage(image: string | undefined): FieldError | undefined {
  if (!image) return findings.missingField('image')
  const reference = imageReferenceFrom(image)
  if (!('problem' in reference)) return undefined
  return fieldError('Failed to parse image reference', 'image', `image: "${image}", error: ${reference.problem}`)
}

function validatePorts(ports: readonly ContainerPort[], role: Role): FieldError | undefined {
  if (role === 'init') return also(...ports.map(validatePort))
  const first = ports[0]
  if (!first) return undefined
  return also(
    validatePort(first),
    first.protocol && first.protocol !== 'TCP' ? findings.invalidValue(first.protocol, 'protocol') : undefined,
    PORT_NAMES.has(first.name ?? '')
      ? undefined
      : fieldError(`Port name ${first.name} is not allowed`, '', "Name must be empty, or one of: 'h2c', 'http1'"),
  )
}

function validatePort(port: ContainerPort): FieldError | undefined {
  const number = port.containerPort ?? 0
  return also(
    onlyFields(port, ['name', 'containerPort', 'protocol']),
    RESERVED_PORTS.has(number)
      ? findings.invalidValue(`${number} is a reserved port`, 'containerPort', `${number} is a reserved port, please use a different value`)
      : undefined,
    number < 0 || number > 65_535 ? findings.outOfBounds(number, 0, 65_535, 'containerPort') : undefined,
  )
}

function validateSecurityContext(context: Record<string, unknown> | undefined, configMap: ReadConfigMap): FieldError | undefined {
  if (!context) return undefined
  const inRange = (field: string): FieldError | undefined => {
    const id = context[field]
    return typeof id === 'number' && (id < 0 || id > MAX_INT32) ? findings.outOfBounds(id, 0, MAX_INT32, field) : undefined
  }
  const capabilities = context['capabilities'] as { add?: string[]; drop?: string[] } | undefined
  const mayAdd =
    feature(configMap, 'kubernetes.containerspec-addcapabilities') !== 'Disabled' ||
    (securePodDefaults(configMap) !== 'Disabled' && capabilities?.add?.length === 1 && capabilities.add[0] === 'NET_BIND_SERVICE')
  return also(
    onlyFields(context, [
      'runAsUser',
      'runAsGroup',
      'runAsNonRoot',
      'readOnlyRootFilesystem',
      'allowPrivilegeEscalation',
      'seccompProfile',
      'capabilities',
    ]),
    viaField('capabilities', onlyFields(capabilities, mayAdd ? ['drop', 'add'] : ['drop'])),
    inRange('runAsUser'),
    inRange('runAsGroup'),
  )
}
