import type { ObjectMeta } from '../../apimachinery/object.js'
import { shortAge } from './ages.js'
import { DESCRIBE_TABS, tabbed } from './table.js'

/** Rows of cells that are aligned with one another; the last cell of a row is not padded. */
export type Rows = readonly (readonly string[])[]

/** How much a describe shows, and when it is printed (milliseconds since 1970). */
export interface DescribeOptions {
  verbose: boolean
  nowMs: number
}

/** One block of a describe, aligned. */
export function block(rows: Rows): string {
  return tabbed(rows, DESCRIBE_TABS)
}

/** `Label:` and its value. */
export function attribute(label: string, value: string): readonly string[] {
  return [`${label}:`, value]
}

/** Rows below another one, indented by two. */
export function nested(rows: Rows): Rows {
  return rows.map(([first = '', ...others]) => [`  ${first}`, ...others])
}

/** What every describe opens with. */
export function metadataRows({ name, namespace = '', labels, annotations, creationTimestamp }: ObjectMeta, options: DescribeOptions): Rows {
  return [
    attribute('Name', name),
    attribute('Namespace', namespace),
    ...mapRows('Labels', labels, options),
    ...mapRows('Annotations', annotations, options),
    attribute('Age', shortAge(creationTimestamp, options.nowMs)),
  ]
}

/** Keys that only `-v` shows: written by the system for itself. */
const BORING = /^(?:serving\.knative\.dev|client\.knative\.dev|kubectl\.kubernetes\.io|kn-local\.dev)\//
const WIDTH = 100

function mapRows(label: string, map: Readonly<Record<string, string>> | undefined, { verbose }: DescribeOptions): Rows {
  const pairs = Object.entries(map ?? {})
    .filter(([key]) => verbose || !BORING.test(key))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
  return listRows(label, pairs, verbose)
}

/** Texts after a label: one per line with `-v`, else in one line that is cut at about 100 characters. */
export function listRows(label: string, texts: readonly string[], verbose: boolean): Rows {
  if (texts.length === 0) return []
  if (verbose) return texts.map((text, index) => [index === 0 ? `${label}:` : '', text])
  return [attribute(label, cut(texts.join(', '), WIDTH - label.length - 2))]
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 4)} ...`
}
