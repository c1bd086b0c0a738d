import { groupVersion, type Kind } from '../../apimachinery/kind.js'
import type { KubeObject } from '../../apimachinery/object.js'
import { usageError } from '../arguments.js'
import { readFileIfExists } from '../read-file.js'

export interface OutputOptions {
  output?: string | undefined
  template?: string | undefined
  'allow-missing-template-keys'?: boolean | undefined
  'show-managed-fields'?: boolean | undefined
}

const FORMATS = [
  'go-template',
  'go-template-file',
  'json',
  'jsonpath',
  'jsonpath-as-json',
  'jsonpath-file',
  'name',
  'template',
  'templatefile',
  'yaml',
]

/** Text of one object in the format asked for, as `describe` prints it: kind, apiVersion, metadata, spec, status. `extra` names formats the command has itself. */
export async function objectText(kind: Kind, object: KubeObject, options: OutputOptions, extra: readonly string[] = []): Promise<string> {
  const { apiVersion: _, kind: __, metadata, ...rest } = object
  const typed = { kind: kind.kind, apiVersion: groupVersion(kind), metadata: shownMetadata(metadata, options), ...inOrder(rest) }
  return formatted(typed, [typed], options, extra)
}

/** Text of a list in the format asked for: keys sorted, only apiVersion, items and kind around the items. */
export async function listText(kind: Kind, items: readonly KubeObject[], options: OutputOptions): Promise<string> {
  const typed = items.map((item) => ({
    ...item,
    kind: kind.kind,
    apiVersion: groupVersion(kind),
    metadata: shownMetadata(item.metadata, options),
  }))
  const list = { apiVersion: groupVersion(kind), items: typed, kind: `${kind.kind}List` }
  return formatted(sortedKeys(list), typed, options)
}

/** YAML as Go's libraries write it: keys sorted, sequences not indented. */
export async function yamlText(value: object): Promise<string> {
  const { stringify } = await import('yaml')
  return stringify(value, { indentSeq: false, sortMapEntries: true, lineWidth: 0, version: '1.1', aliasDuplicateObjects: false })
}

async function formatted(
  value: object,
  named: readonly KubeObject[],
  options: OutputOptions,
  extra: readonly string[] = [],
): Promise<string> {
  const { format, template } = formatOf(options)
  switch (format) {
    case 'json':
      return `${JSON.stringify(value, null, 4)}\n`
    case 'yaml':
      return yamlText(value)
    case 'name':
      return named.map((object) => `${nameOf(object)}\n`).join('')
    case 'jsonpath':
      return byJsonPath(template ?? missingTemplate(format), value, options)
    case 'jsonpath-file':
      return byJsonPath(templateFile(template ?? missingTemplate(format)), value, options)
    case 'jsonpath-as-json': {
      const { compileJsonPathResults } = await import('../../apimachinery/json-path.js')
      const results = asUserError(() => compileJsonPathResults(template ?? missingTemplate(format), missingKeys(options))(value).flat())
      return `${JSON.stringify(results, null, 4)}\n`
    }
    case 'go-template':
    case 'go-template-file':
    case 'template':
    case 'templatefile':
      throw usageError(`the output format "${format}" is not available in this kn, use jsonpath instead`)
    default:
      throw unknownFormat(options.output!, extra)
  }
}

/** kn's refusal of a format; `extra` names those of a single command. */
export function unknownFormat(output: string, extra: readonly string[]): Error {
  const allowed = [...FORMATS, ...extra].sort().join(',')
  return usageError(`unable to match a printer suitable for the output format "${output}", allowed formats are: ${allowed}`)
}

/** `json`, `yaml` and `name` in any case; a template may follow its format after `=`. */
function formatOf({ output = '', template }: OutputOptions): { format: string; template: string | undefined } {
  const at = output.indexOf('=')
  const word = at < 0 ? output : output.slice(0, at)
  const lower = word.toLowerCase()
  if (at < 0 && ['json', 'yaml', 'name'].includes(lower)) return { format: lower, template }
  const takesTemplate = /^(?:go-template|template|jsonpath)/.test(word)
  return { format: at >= 0 && !takesTemplate ? output : word, template: at < 0 ? template || undefined : output.slice(at + 1) }
}

async function byJsonPath(template: string, value: object, options: OutputOptions): Promise<string> {
  const { compileJsonPathTemplate } = await import('../../apimachinery/json-path.js')
  return asUserError(() => compileJsonPathTemplate(template, missingKeys(options))(value))
}

function missingKeys(options: OutputOptions): { allowMissingKeys: boolean } {
  return { allowMissingKeys: options['allow-missing-template-keys'] ?? true }
}

function asUserError<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw usageError(`error executing jsonpath: ${(error as Error).message}`)
  }
}

function missingTemplate(format: string): never {
  throw usageError(`template format specified but no template given (-o ${format}=TEMPLATE)`)
}

function templateFile(path: string): string {
  const text = readFileIfExists(path)
  if (text === undefined) throw usageError(`error reading --template ${path}, open ${path}: no such file or directory`)
  return text
}

function nameOf({ apiVersion, kind, metadata }: KubeObject): string {
  const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : ''
  return `${kind.toLowerCase()}${group}/${metadata.name}`
}

/** The fields of metadata as Go's type has them, which is the order `describe -o json` prints. */
const METADATA_ORDER = [
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
]

function shownMetadata(metadata: KubeObject['metadata'], options: OutputOptions): KubeObject['metadata'] {
  const entries = Object.entries(metadata).filter(([name]) => name !== 'managedFields' || options['show-managed-fields'])
  return Object.fromEntries(
    entries.sort(([a], [b]) => METADATA_ORDER.indexOf(a) - METADATA_ORDER.indexOf(b)),
  ) as unknown as KubeObject['metadata']
}

/** spec and status after everything else of the object. */
function inOrder(rest: Record<string, unknown>): Record<string, unknown> {
  const { spec, status, ...others } = rest
  return { ...others, ...(spec !== undefined && { spec }), ...(status !== undefined && { status }) }
}

function sortedKeys(value: unknown): object {
  if (Array.isArray(value)) return value.map((item) => (typeof item === 'object' && item !== null ? sortedKeys(item) : item))
  const entries = Object.entries(value as object).map(([key, item]) => [
    key,
    typeof item === 'object' && item !== null ? sortedKeys(item) : item,
  ])
  return Object.fromEntries(entries.sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)))
}
