import { age } from './age.js'
import { compileJsonPath, printed } from './json-path.js'
import type { Column, Kind } from './kind.js'
import type { KubeObject } from './object.js'

export interface TableOptions {
  /** Milliseconds since 1970, for ages. */
  nowMs: number
  /** What each row carries of its object: nothing, PartialObjectMetadata, or all of it. */
  includeObject: 'None' | 'Metadata' | 'Object'
  resourceVersion: string
  continue?: string
  remainingItemCount?: number
  /** False leaves columnDefinitions null, as in all but the first event of a watch. */
  withDefinitions?: boolean
  /** Version of meta.k8s.io that was asked for. */
  version?: 'v1' | 'v1beta1'
}

export type Cell = string | number | boolean | null

const NAME_DESCRIPTION = 'Name must be unique within a namespace.'
const AGE_COLUMN: Column = {
  name: 'Age',
  type: 'string',
  description: 'Time since the object was created.',
  cell: (object: KubeObject, nowMs) => age(object.metadata.creationTimestamp, nowMs),
}

/** Columns that tell when already, so that no Age is added. */
const TELLS_WHEN = new Set(['Age', 'Last Seen', 'Created At'])

/**
 * The columns of `kubectl get`, in order. Built-in kinds show Age before their wide columns unless they say when otherwise;
 * custom resources only when they declare no columns at all, as their definitions do.
 */
export function tableColumns(kind: Kind): readonly Column[] {
  const columns = kind.columns ?? []
  // Events name themselves in their last, wide column.
  if (columns.some((column) => column.name === 'Name')) return columns
  const name: Column = { name: 'Name', type: 'string', format: 'name', description: NAME_DESCRIPTION, jsonPath: '.metadata.name' }
  if (columns.length === 0) {
    return [name, isCustomGroup(kind.group) ? { ...AGE_COLUMN, type: 'date' } : AGE_COLUMN]
  }
  if (isCustomGroup(kind.group) || columns.some((column) => TELLS_WHEN.has(column.name))) return [name, ...columns]
  const wide = columns.findIndex((column) => (column.priority ?? 0) > 0)
  const end = wide < 0 ? columns.length : wide
  return [name, ...columns.slice(0, end), AGE_COLUMN, ...columns.slice(end)]
}

/** Groups of custom resources are domains other than Kubernetes' own. */
function isCustomGroup(group: string): boolean {
  return group.includes('.') && !group.endsWith('.k8s.io')
}

/**
 * A meta.k8s.io Table of objects as kubectl asks for it. A missing path gives a null cell, a date its age.
 * @see kubernetes/apiextensions-apiserver v0.35 pkg/registry/customresource/tableconvertor/tableconvertor.go
 */
export function tableFor(kind: Kind, objects: readonly KubeObject[], options: TableOptions): object {
  const { nowMs, includeObject, withDefinitions = true, version = 'v1' } = options
  const apiVersion = `meta.k8s.io/${version}`
  const columns = tableColumns(kind)
  const cells = columns.map(cellMaker)
  return {
    kind: 'Table',
    apiVersion,
    metadata: {
      resourceVersion: options.resourceVersion,
      ...(options.continue && { continue: options.continue }),
      ...(options.remainingItemCount !== undefined && { remainingItemCount: options.remainingItemCount }),
    },
    columnDefinitions: withDefinitions ? columns.map(definitionOf) : null,
    rows: objects.map((object) => ({
      cells: cells.map((cell) => cell(object, nowMs)),
      object:
        includeObject === 'Object'
          ? object
          : includeObject === 'None'
            ? null
            : { kind: 'PartialObjectMetadata', apiVersion, metadata: object.metadata },
    })),
  }
}

function definitionOf({ name, type, format, description, priority, jsonPath }: Column): object {
  return {
    name,
    type,
    format: format ?? '',
    description: description ?? (jsonPath ? `Custom resource definition column (in JSONPath format): ${jsonPath}` : ''),
    priority: priority ?? 0,
  }
}

function cellMaker(column: Column): (object: KubeObject, nowMs: number) => Cell {
  const { cell, jsonPath, type } = column
  if (cell) return cell as (object: KubeObject, nowMs: number) => Cell
  if (!jsonPath) return () => null
  const valuesOf = compileJsonPath(jsonPath)
  return (object, nowMs) => {
    let value: unknown
    try {
      value = valuesOf(object)[0]
    } catch {
      // A filter on what is no list (yet), an index out of bounds: nothing to show, as upstream.
      return null
    }
    return value === undefined || value === null ? null : cellOf(type, value, nowMs)
  }
}

function cellOf(type: Column['type'], value: unknown, nowMs: number): Cell {
  switch (type) {
    case 'string':
      return printed(value)
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return typeof value === 'string' ? age(value, nowMs) : null
  }
}
