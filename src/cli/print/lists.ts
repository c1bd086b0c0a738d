import { age } from '../../apimachinery/age.js'
import type { Kind } from '../../apimachinery/kind.js'
import type { KubeObject } from '../../apimachinery/object.js'
import { listText, type OutputOptions } from './output.js'
import { tableText } from './table.js'

export interface Listing<T extends KubeObject> {
  kind: Kind<T>
  /** In the order in which they are printed. */
  items: readonly T[]
  columns: readonly string[]
  row(object: T): readonly string[]
  /** What is printed instead of a table without rows: `No services found.` */
  empty: string
}

/** A list as a command prints it: machine-readable with `-o`, else a table or the sentence that there is nothing. */
export async function listing<T extends KubeObject>(
  { kind, items, columns, row, empty }: Listing<T>,
  options: OutputOptions & { 'no-headers'?: boolean | undefined },
): Promise<string> {
  if (options.output) return listText(kind, items, options)
  if (items.length === 0) return `${empty}\n`
  return tableText(options['no-headers'] ? undefined : columns, items.map(row))
}

/** NAMESPACE and its cell come first when all namespaces are listed. */
export function withNamespaces<T extends KubeObject>(
  listed: Pick<Listing<T>, 'columns' | 'row'>,
  allNamespaces: boolean,
): Pick<Listing<T>, 'columns' | 'row'> {
  if (!allNamespaces) return listed
  return {
    columns: ['Namespace', ...listed.columns],
    row: (object) => [object.metadata.namespace ?? '', ...listed.row(object)],
  }
}

/** By namespace, then name. */
export function byNamespace(a: KubeObject, b: KubeObject): number {
  const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)
  return compare(a.metadata.namespace ?? '', b.metadata.namespace ?? '') || compare(a.metadata.name, b.metadata.name)
}

/**
 * Objects of all namespaces as kn lists them: those of `default` first, the others by namespace, and else as they came.
 * @see knative/client pkg/commands/trigger/list_flags.go
 */
export function defaultNamespaceFirst<T extends KubeObject>(objects: readonly T[]): readonly T[] {
  const namespaceOf = ({ metadata }: T): string => (metadata.namespace === 'default' ? '' : (metadata.namespace ?? ''))
  return [...objects].sort((a, b) => (namespaceOf(a) < namespaceOf(b) ? -1 : namespaceOf(a) > namespaceOf(b) ? 1 : 0))
}

/** The AGE cell. */
export function ageCell({ metadata }: KubeObject, nowMs: number): string {
  return age(metadata.creationTimestamp, nowMs)
}
