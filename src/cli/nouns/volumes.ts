import { canonicalQuantity } from '../../apimachinery/quantity.js'
import type { Container, PodSpec } from '../../kinds/core/pod/schema.js'
import { usageError } from '../arguments.js'
import { changesFrom } from './key-values.js'

type Volume = NonNullable<PodSpec['volumes']>[number]
type Mount = NonNullable<Container['volumeMounts']>[number]

interface Source {
  /** Fields of the Volume, without its name. */
  fields: Record<string, unknown>
  /** ConfigMaps and Secrets are mounted read-only unless told otherwise. */
  readOnly: boolean
}

const CONFIG_MAP: readonly string[] = ['cm', 'config-map']
const SECRET: readonly string[] = ['sc', 'secret']
const EMPTY_DIR: readonly string[] = ['ed', 'emptyDir']
const CLAIM: readonly string[] = ['pvc', 'persistentVolumeClaim']

/** Volumes and mounts after --volume and --mount. Throws a usage error where they do not fit together. */
export function volumesFrom(
  before: { volumes?: readonly Volume[]; mounts?: readonly Mount[] },
  flags: { volume?: readonly string[]; mount?: readonly string[] },
): { volumes: Volume[]; mounts: Mount[] } {
  const volumes = new Map((before.volumes ?? []).map((volume) => [volume.name, volume]))
  const mounts = new Map((before.mounts ?? []).map((mount) => [mount.mountPath, mount]))

  const volumeChanges = changesFrom(flags.volume, { flag: 'volume' })
  for (const [name, text] of volumeChanges.set) volumes.set(name, { name, ...volumeSource(text).fields })
  const mountChanges = changesFrom(flags.mount, { flag: 'mount' })
  for (const path of mountChanges.remove) {
    const mount = mounts.get(path)
    mounts.delete(path)
    if (mount?.name === generatedName(path)) volumes.delete(mount.name)
  }
  for (const [path, text] of mountChanges.set) {
    const { volume, mount } = mountOf(path, text)
    if (volume) volumes.set(volume.name, volume)
    else if (!volumes.has(mount.name)) throw usageError(`There is no volume matched with ${JSON.stringify(mount.name)}`)
    mounts.set(path, mount)
  }
  for (const name of volumeChanges.remove) {
    if ([...mounts.values()].some((mount) => mount.name === name)) {
      throw usageError(`The volume ${JSON.stringify(name)} cannot be removed because it is mounted`)
    }
    volumes.delete(name)
  }
  return { volumes: [...volumes.values()], mounts: [...mounts.values()] }
}

/** `cm:NAME[/SUBPATH][:readOnly=bool]`, or the bare name of a volume. */
function mountOf(path: string, text: string): { volume?: Volume; mount: Mount } {
  const [kind = '', rest, options] = text.split(':')
  if (rest === undefined) {
    const [name = '', subPath] = splitPath(kind)
    return { mount: { mountPath: path, name, readOnly: true, ...(subPath && { subPath }) } }
  }
  const [name = '', subPath] = splitPath(rest)
  const source = sourceOf(kind, name)
  const readOnly = options === undefined ? source.readOnly : readOnlyOption(options)
  const volumeName = generatedName(path)
  return {
    volume: { name: volumeName, ...source.fields },
    mount: { mountPath: path, name: volumeName, ...(readOnly && { readOnly }), ...(subPath && { subPath }) },
  }
}

function splitPath(text: string): [string, string | undefined] {
  const at = text.indexOf('/')
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

function readOnlyOption(text: string): boolean {
  const found = /^readOnly=(true|false)$/.exec(text)
  if (!found) throw usageError(`invalid option ${JSON.stringify(text)} for --mount, expected readOnly=true or readOnly=false`)
  return found[1] === 'true'
}

/** `cm:NAME`; for an emptyDir `ed:NAME:type=Memory,size=10Mi`. */
function volumeSource(text: string): Source {
  const [kind = '', name = '', options] = text.split(':')
  const source = sourceOf(kind, name)
  if (options === undefined) return source
  if (!EMPTY_DIR.includes(kind)) throw usageError(`options are not supported for --volume of type "${kind}": ${options}`)
  const { set } = changesFrom(options.split(','), { flag: 'volume' })
  for (const key of set.keys())
    if (key !== 'type' && key !== 'size') throw usageError(`unknown option "${key}" for --volume of type "${kind}"`)
  const size = set.get('size')
  if (size !== undefined && canonicalQuantity(size) === undefined) throw usageError(`invalid size ${JSON.stringify(size)} for --volume`)
  return {
    ...source,
    fields: { emptyDir: { ...(set.get('type') && { medium: set.get('type') }), ...(size && { sizeLimit: canonicalQuantity(size) }) } },
  }
}

function sourceOf(kind: string, name: string): Source {
  if (CONFIG_MAP.includes(kind)) return { fields: { configMap: { name } }, readOnly: true }
  if (SECRET.includes(kind)) return { fields: { secret: { secretName: name } }, readOnly: true }
  if (EMPTY_DIR.includes(kind)) return { fields: { emptyDir: {} }, readOnly: false }
  if (CLAIM.includes(kind)) return { fields: { persistentVolumeClaim: { claimName: name } }, readOnly: false }
  throw usageError(
    `unsupported volume type "${kind}"; supported volume types are "config-map", "cm", "secret", "sc", "emptyDir", "ed", "persistentVolumeClaim" and "pvc"`,
  )
}

const LONGEST_NAME = 63

/** @see knative/client pkg/util/generate_name.go */
function generatedName(path: string): string {
  // Taken here since all of create's flags pass through this module, and hardly any command mounts something.
  const { createHash } = process.getBuiltinModule('node:crypto')
  const hash = createHash('sha1').update(path).digest('hex').slice(0, 8)
  const words = path
    .replace(/^\//, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '-')
  const name = `${/^[a-z0-9]/.test(words) ? '' : 'k-'}${words}-${hash}`
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 2)}-n` : name
}
