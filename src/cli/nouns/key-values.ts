import { usageError } from '../arguments.js'

/** What a repeatable `KEY=VALUE` flag asks for: values in the order given, and keys to take away (`KEY-`). */
export interface Changes {
  set: ReadonlyMap<string, string>
  remove: readonly string[]
}

/**
 * Reads `KEY=VALUE` and `KEY-` words. Throws a usage error for one without `=`, for an empty key, and with `unique` for a
 * key that appears twice.
 *
 * @see knative/client pkg/util/parsing_helper.go
 */
export function changesFrom(words: readonly string[] = [], { flag, unique = false }: { flag?: string; unique?: boolean } = {}): Changes {
  const set = new Map<string, string>()
  const remove: string[] = []
  for (const word of words) {
    const at = word.indexOf('=')
    if (at < 0) {
      if (!word.endsWith('-')) throw missingValue(word, flag)
      remove.push(word.slice(0, -1))
      continue
    }
    const key = word.slice(0, at)
    if (key === '') throw usageError(flag ? `Invalid --${flag}: The key is empty` : 'The key is empty')
    if (unique && set.has(key)) throw usageError(`The key ${JSON.stringify(key)} has been duplicate in [${words.join(' ')}]`)
    set.set(key, word.slice(at + 1))
  }
  return { set, remove }
}

function missingValue(word: string, flag: string | undefined): Error {
  const got = JSON.stringify(word)
  return usageError(
    flag
      ? `Invalid --${flag}: argument requires a value that contains the "=" character; got ${got}`
      : `Argument requires a value that contains the "=" character as delimiter; got ${got}`,
  )
}

/** A map with the changes made; undefined when nothing is left in it. */
export function changed(map: Readonly<Record<string, string>> | undefined, { set, remove }: Changes): Record<string, string> | undefined {
  const next = { ...map, ...Object.fromEntries(set) }
  for (const key of remove) delete next[key]
  return Object.keys(next).length > 0 ? next : undefined
}

/** Several flags of one map, the later ones winning. */
export function merged(...all: readonly Changes[]): Changes {
  const set = new Map(all.flatMap((changes) => [...changes.set]))
  return { set, remove: all.flatMap(({ remove }) => remove).filter((key) => !set.has(key)) }
}
