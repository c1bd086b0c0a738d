import { parseQuantity } from '../../../apimachinery/quantity.js'
import type { Client } from '../../../client/client.js'
import type { Engines } from '../../engines.js'
import { configMapKind } from '../configmap/kind.js'
import { secretKind } from '../secret/kind.js'
import type { Container, EnvVar, Pod } from './schema.js'

/** What of the world a container's environment may name. */
export interface EnvironmentSource {
  client: Client
  environment: Engines['environment']
  pod: Pod
  podIP: string
  hostIP: string
  /** The loopback port to listen on; init containers have none. */
  port: number | undefined
  /** What the Node has to give, for limits that are not set. */
  allocatable: Readonly<Record<string, string>>
}

/** A reference that leads nowhere; the message is the kubelet's. */
class MissingReference extends Error {}

/**
 * The environment of a container, or why it cannot be put together. PORT is always the loopback port: there is no network
 * of its own in which a program could have the port that was declared.
 * @see kubernetes/kubernetes v1.35 pkg/kubelet/kubelet_pods.go makeEnvironmentVariables
 */
export async function containerEnvironment(
  container: Container,
  source: EnvironmentSource,
): Promise<{ env: Record<string, string> } | { problem: string }> {
  const { port, environment } = source
  try {
    const from: Record<string, string>[] = []
    for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
      const values = configMapRef
        ? await configMapValues(source, configMapRef.name, configMapRef.optional)
        : secretRef
          ? await secretValues(source, secretRef.name, secretRef.optional)
          : {}
      from.push(Object.fromEntries(Object.entries(values).map(([key, value]) => [prefix + key, value])))
    }
    const env: { name: string; value: string; verbatim?: boolean }[] = []
    if (port !== undefined) env.push({ name: 'PORT', value: String(port), verbatim: true })
    for (const variable of container.env ?? []) {
      if (variable.name === 'PORT' && port !== undefined) continue
      const value = variable.valueFrom ? await referredValue(container, variable.valueFrom, source) : variable.value
      if (value !== undefined || !variable.valueFrom)
        env.push({ name: variable.name, value: value ?? '', ...(variable.valueFrom && { verbatim: true }) })
    }
    return { env: environment.merge({ from, env }) }
  } catch (error) {
    if (error instanceof MissingReference) return { problem: error.message }
    throw error
  }
}

async function configMapValues({ client, pod }: EnvironmentSource, name: string, optional = false): Promise<Record<string, string>> {
  const found = await client.find(configMapKind, { namespace: pod.metadata.namespace, name })
  if (!found && !optional) throw new MissingReference(`configmap "${name}" not found`)
  return found?.data ?? {}
}

async function secretValues({ client, pod }: EnvironmentSource, name: string, optional = false): Promise<Record<string, string>> {
  const found = await client.find(secretKind, { namespace: pod.metadata.namespace, name })
  if (!found && !optional) throw new MissingReference(`secret "${name}" not found`)
  return Object.fromEntries(Object.entries(found?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
}

/** Undefined for an optional reference that leads nowhere: the variable is not set then. */
async function referredValue(
  container: Container,
  { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef }: NonNullable<EnvVar['valueFrom']>,
  source: EnvironmentSource,
): Promise<string | undefined> {
  const { namespace } = source.pod.metadata
  const pick = (
    values: Record<string, string>,
    kind: string,
    { name, key, optional }: { name: string; key: string; optional?: boolean },
  ) => {
    if (Object.hasOwn(values, key)) return values[key]
    if (optional) return undefined
    throw new MissingReference(`couldn't find key ${key} in ${kind} ${namespace}/${name}`)
  }
  if (configMapKeyRef)
    return pick(await configMapValues(source, configMapKeyRef.name, configMapKeyRef.optional), 'ConfigMap', configMapKeyRef)
  if (secretKeyRef) return pick(await secretValues(source, secretKeyRef.name, secretKeyRef.optional), 'Secret', secretKeyRef)
  if (fieldRef) return fieldValue(fieldRef.fieldPath, source)
  if (!resourceFieldRef) return ''
  const named = source.pod.spec.containers.find(({ name }) => name === resourceFieldRef.containerName)
  return resourceValue(named ?? container, resourceFieldRef, source.allocatable)
}

function fieldValue(fieldPath: string, { pod, podIP, hostIP }: EnvironmentSource): string {
  const { metadata, spec } = pod
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(fieldPath)
  if (subscript) return metadata[subscript[1] as 'labels' | 'annotations']?.[subscript[2]!] ?? ''
  switch (fieldPath) {
    case 'metadata.name':
      return metadata.name
    case 'metadata.namespace':
      return metadata.namespace ?? ''
    case 'metadata.uid':
      return metadata.uid ?? ''
    case 'spec.nodeName':
      return spec.nodeName ?? ''
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? ''
    case 'status.hostIP':
    case 'status.hostIPs':
      return hostIP
    case 'status.podIP':
    case 'status.podIPs':
      return podIP
    default:
      throw new MissingReference(`unsupported fieldPath: ${fieldPath}`)
  }
}

/** A limit or request in units of the divisor, rounded up; what is not limited may use all that the Node has. */
function resourceValue(
  { resources }: Container,
  { resource, divisor }: { resource: string; divisor?: string },
  allocatable: Readonly<Record<string, string>>,
): string {
  const [list, name] = resource.split('.') as [string, string]
  const given = list === 'limits' ? (resources?.limits?.[name] ?? allocatable[name]) : resources?.requests?.[name]
  const value = parseQuantity(String(given ?? '0')) ?? 0n
  const asked = parseQuantity(String(divisor ?? '0')) ?? 0n
  const unit = asked > 0n ? asked : parseQuantity('1')!
  return String((value + unit - 1n) / unit)
}
