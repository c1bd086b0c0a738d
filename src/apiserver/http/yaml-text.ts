import type { Document, Node, YAMLMap } from 'yaml'
import { refusals } from '../../apimachinery/status-error.js'
import { type Decoded, decodeJson } from './json-text.js'

/** An alias may stand for a lot; this many bound what a small body can be blown up to. */
const MOST_ALIASES = 100

/**
 * Reads one YAML document the way Kubernetes does: YAML 1.1 scalars (`yes` is true), but no dates and no base-60 numbers.
 * Throws 400 for text that is no YAML, for several documents and for ones that blow up. The parser is loaded on first use.
 */
export async function decodeYaml(text: string): Promise<Decoded> {
  const yaml = await import('yaml')
  const refused = (message: string) => refusals.badRequest(`error converting YAML to JSON: ${message.split('\n', 1)[0]}`)
  try {
    const document = yaml.parseDocument(text, {
      version: '1.1',
      uniqueKeys: false,
      customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !(tag.format === 'TIME' || NOT_IN_JSON.has(tag.tag))),
    })
    const [problem] = document.errors
    if (problem) throw refused(problem.message)
    const problems = repeatedKeys(yaml, document)
    const decoded = decodeJson(JSON.stringify(document.toJS({ maxAliasCount: MOST_ALIASES }) ?? null))
    return { value: decoded.value, problems }
  } catch (error) {
    if (error instanceof RangeError) throw refused('exceeded max depth')
    if (error instanceof ReferenceError) throw refused(error.message)
    throw error
  }
}

const NOT_IN_JSON: ReadonlySet<string> = new Set([
  'tag:yaml.org,2002:timestamp',
  'tag:yaml.org,2002:binary',
  'tag:yaml.org,2002:omap',
  'tag:yaml.org,2002:pairs',
  'tag:yaml.org,2002:set',
])

function repeatedKeys(yaml: typeof import('yaml'), document: Document.Parsed): string[] {
  const problems = new Set<string>()
  const walk = (node: Node | null | undefined, path: string): void => {
    if (yaml.isSeq(node)) for (const [index, item] of node.items.entries()) walk(item as Node, `${path}[${index}]`)
    if (!yaml.isMap(node)) return
    const seen = new Set<string>()
    for (const { key, value } of (node as YAMLMap<Node, Node | null>).items) {
      const name = yaml.isScalar(key) ? String(key.value) : String(key)
      const here = path === '' ? name : `${path}.${name}`
      if (seen.has(name)) problems.add(`duplicate field ${JSON.stringify(here)}`)
      seen.add(name)
      walk(value, here)
    }
  }
  walk(document.contents, '')
  return [...problems]
}
