import type { Container, EnvFromSource, EnvVar } from '../../kinds/core/pod/schema.js'
import { type GivenFlag, usageError } from '../arguments.js'
import { changesFrom } from './key-values.js'

type ReadFile = (path: string) => string

/**
 * The environment after --env, --env-value-from and --env-file, in the order in which those stand on the command line: what
 * is there already is changed in place, the new is appended, removals come last.
 */
export function environmentFrom(before: readonly EnvVar[] = [], given: readonly GivenFlag[], readFile: ReadFile): EnvVar[] {
  const variables = new Map(before.map((variable) => [variable.name, variable]))
  const removed = new Set<string>()
  // Only the last --env-file counts, at the place of the last one.
  const lastFile = given.findLastIndex(({ name }) => name === 'env-file')
  for (const [index, { name, value }] of given.entries()) {
    if (name === 'env') {
      const { set, remove } = changesFrom([value], { flag: 'env' })
      for (const [key, text] of set) variables.set(key, { name: key, value: text })
      for (const key of remove) removed.add(key)
    } else if (name === 'env-value-from') {
      const { set, remove } = changesFrom([value], { flag: 'env-value-from' })
      for (const [key, source] of set) variables.set(key, { name: key, valueFrom: valueSource(source) })
      for (const key of remove) removed.add(key)
    } else if (name === 'env-file' && index === lastFile && value !== '') {
      for (const [key, text] of fileVariables(readFile(value))) variables.set(key, { name: key, value: text })
    }
  }
  for (const key of removed) variables.delete(key)
  return [...variables.values()]
}

/** `NAME=value` lines; blank ones are passed over, and so are `NAME-` lines. No comments, no quoting. */
function fileVariables(text: string): ReadonlyMap<string, string> {
  return changesFrom(
    text
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== ''),
    { flag: 'env-file' },
  ).set
}

/** The whole sets of variables after --env-from. */
export function environmentSourcesFrom(before: readonly EnvFromSource[] = [], words: readonly string[] = []): EnvFromSource[] {
  let sources = [...before]
  const same = (a: EnvFromSource, b: EnvFromSource): boolean =>
    a.configMapRef?.name === b.configMapRef?.name && a.secretRef?.name === b.secretRef?.name
  const remove: EnvFromSource[] = []
  for (const word of words) {
    if (word === '-') throw usageError('"-" is not a valid value for "--env-from"')
    if (word.endsWith('-')) {
      remove.push(wholeSource(word.slice(0, -1)))
      continue
    }
    const source = wholeSource(word)
    if (!sources.some((other) => same(other, source))) sources.push(source)
  }
  sources = sources.filter((source) => !remove.some((other) => same(other, source)))
  return sources
}

const CONFIG_MAP: readonly string[] = ['cm', 'config-map']
const SECRET: readonly string[] = ['sc', 'secret']

function wholeSource(word: string): EnvFromSource {
  const [kind = '', name = ''] = splitOnce(word)
  if (name === '') throw usageError(`invalid source ${JSON.stringify(word)} for --env-from, expected cm:NAME or secret:NAME`)
  if (CONFIG_MAP.includes(kind)) return { configMapRef: { name } }
  if (SECRET.includes(kind)) return { secretRef: { name } }
  throw unsupportedSource(kind)
}

function valueSource(word: string): NonNullable<EnvVar['valueFrom']> {
  const [kind = '', name = '', key = ''] = word.split(':')
  if (name === '' || key === '')
    throw usageError(
      `argument requires a value in form "resourceType:name:key" where "resourceType" can be one of "config-map" (cm) or "secret" (sc); got ${JSON.stringify(word)}`,
    )
  if (CONFIG_MAP.includes(kind)) return { configMapKeyRef: { name, key } }
  if (SECRET.includes(kind)) return { secretKeyRef: { name, key } }
  throw unsupportedSource(kind)
}

function splitOnce(word: string): [string, string] {
  const at = word.indexOf(':')
  return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)]
}

function unsupportedSource(kind: string): Error {
  return usageError(`unsupported env source type "${kind}"; supported source types are "config-map", "cm", "secret" and "sc"`)
}

/** The variables of a container as describe shows them: a reference's value is not looked up. */
export function environmentTexts({ env = [] }: Pick<Container, 'env'>): string[] {
  return env.map(({ name, value, valueFrom }) => `${name}=${valueFrom ? '[ref]' : (value ?? '')}`)
}

/** The whole sets of variables as describe shows them. */
export function environmentSourceTexts({ envFrom = [] }: Pick<Container, 'envFrom'>): string[] {
  return envFrom.map(({ configMapRef, secretRef }) => (configMapRef ? `cm:${configMapRef.name}` : `secret:${secretRef?.name ?? ''}`))
}
