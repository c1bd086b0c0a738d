import { createHash } from 'node:crypto'

const LONGEST_NAME = 63
const MD5_LENGTH = 32
const LONGEST_HEAD = LONGEST_NAME - MD5_LENGTH

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')

/**
 * The name of a child: parent and suffix, with a hash in place of what does not fit into 63 characters.
 * @see knative.dev/pkg kmeta/names.go
 */
export function childName(parent: string, suffix: string): string {
  if (parent.length <= LONGEST_NAME - suffix.length) return `${parent}${suffix}`
  const headLength = LONGEST_HEAD - suffix.length
  if (headLength > 0) return `${parent.slice(0, headLength)}${md5(parent)}${suffix}`
  const hashed = `${parent.slice(0, LONGEST_HEAD)}${md5(`${parent}${suffix}`)}`
  return `${hashed}${suffix.slice(0, Math.max(0, LONGEST_NAME - hashed.length))}`.replace(/[^a-zA-Z0-9]+$/, '')
}

/** The Revision a Configuration makes for one of its generations, unless the template brings a name of its own. */
export function revisionName(configuration: string, generation: number): string {
  return childName(configuration, `-${String(generation).padStart(5, '0')}`)
}

export function deploymentName(revision: string): string {
  return childName(revision, '-deployment')
}

/** The core Service that selects a Revision's Pods; the public one has the Revision's own name. */
export function privateServiceName(revision: string): string {
  return childName(revision, '-private')
}

export function imageName(revision: string, container: string): string {
  return childName(`${revision}-cache`, `-${container}`)
}

export function kingressName(route: string): string {
  return childName(route, '')
}

export const CLUSTER_DOMAIN = 'cluster.local'

/** The name a core Service has inside the cluster: `name.ns.svc.cluster.local`. */
export function serviceHost(name: string, namespace: string): string {
  return `${name}.${namespace}.svc.${CLUSTER_DOMAIN}`
}

/** The message of every NotOwned condition. */
export function notOwnedMessage(kind: string, name: string): string {
  return `There is an existing ${kind} "${name}" that we do not own.`
}
