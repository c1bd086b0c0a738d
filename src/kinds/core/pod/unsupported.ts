import type { Container, Pod } from './schema.js'

/** Where the service account token's volume is mounted. */
const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * What a container asks for that cannot be given here, as its waiting message; undefined when there is nothing. A mount is
 * never left out in silence. The service account token's own volume is: no workload is given a credential here.
 */
export function unsupportedReason(
  { spec }: Pod,
  { volumeMounts = [], volumeDevices = [], restartPolicy }: Container & { volumeDevices?: { name: string }[] },
  isInit: boolean,
): string | undefined {
  const asked = new Set([
    ...(spec.volumes ?? []).filter((volume) => !isTokenVolume(volume)).map(({ name }) => name),
    ...volumeMounts.filter(({ mountPath }) => mountPath !== TOKEN_PATH).map(({ name }) => name),
    ...volumeDevices.map(({ name }) => name),
  ])
  if (asked.size > 0) {
    const names = [...asked].map((name) => `"${name}"`).join(', ')
    return `volumes need a container engine or mount namespaces, which this version does not offer: ${names}`
  }
  if (isInit && restartPolicy === 'Always') return 'init containers with restartPolicy Always (sidecars) are not offered by this version'
  return undefined
}

function isTokenVolume(volume: Record<string, unknown>): boolean {
  const sources = (volume['projected'] as { sources?: Record<string, unknown>[] } | undefined)?.sources
  return sources?.some((source) => source['serviceAccountToken']) ?? false
}
