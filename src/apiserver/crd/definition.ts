import { type CustomResourceDefinition, type DefinedVersion, isDefinition } from '../../apimachinery/custom-resource.js'
import { jsonPathValues } from '../../apimachinery/json-path.js'
import { type Column, groupVersion, type ServedKind } from '../../apimachinery/kind.js'
import type { KubeObject } from '../../apimachinery/object.js'
import type { Schema } from '../../apimachinery/schema.js'
import { type Resource, resourceOf } from '../resource.js'
import { createCheck } from './check.js'
import { type CallWebhook, converterFor } from './conversion.js'
import { createReading } from './reading.js'

/** What a version offers while its definition is being deleted (apiextensions pkg/apiserver/customresource_discovery_controller.go). */
const TERMINATING_VERBS: readonly string[] = ['delete', 'deletecollection', 'get', 'list', 'watch']

/** A schema that a version without one has: upstream refuses such versions, but may have stored them in the past. */
const OPEN_SCHEMA: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

/** Everything the API server has to know of the resources that one definition defines. */
export interface Defined {
  /** One per version, those that are not served included: they are hidden from callers. */
  resources: readonly Resource[]
  /** The one in the storage version, under which the emulator's own parts read what is stored. */
  storage: Resource
}

/** Reads an established definition; undefined for one that is not, or that has no version to store. */
export function definedBy(
  definition: CustomResourceDefinition,
  deps: { callWebhook: CallWebhook | undefined; uid: () => string },
): Defined | undefined {
  if (!isDefinition(definition, 'Established')) return undefined
  const { spec } = definition
  const storageVersion = spec.versions.find(({ storage }) => storage)
  if (!storageVersion) return undefined
  const convert = converterFor(definition, deps)
  const isRemote = spec.conversion?.strategy === 'Webhook'
  const storageApiVersion = groupVersion({ group: spec.group, version: storageVersion.name })
  const resources = spec.versions.map((version): Resource => {
    const served = servedVersion(definition, version)
    const apiVersion = groupVersion(served.kind)
    const resource = resourceOf(served)
    return {
      ...resource,
      // Discovery hides what a terminating definition does not offer any more; finalizers still have to come off.
      verbs: new Set([...resource.verbs, 'create', 'update', 'patch']),
      reading: createReading({ apiVersion, storageApiVersion, schema: served.schema, convert, isRemote }),
      isHidden: !version.served,
      isTerminating: isDefinition(definition, 'Terminating'),
      watches: new Set(),
    }
  })
  return { resources, storage: resources.find(({ kind }) => kind.version === storageVersion.name)! }
}

function servedVersion(definition: CustomResourceDefinition, version: DefinedVersion): ServedKind {
  const { spec, status } = definition
  const names = { ...spec.names, ...status?.acceptedNames }
  const { subresources, schema: given } = version
  const schema = given?.openAPIV3Schema ?? OPEN_SCHEMA
  const check = createCheck(schema)
  return {
    kind: {
      group: spec.group,
      version: version.name,
      kind: names.kind,
      plural: names.plural,
      singular: names.singular ?? names.kind.toLowerCase(),
      ...(names.listKind && { listKind: names.listKind }),
      ...(names.shortNames && { shortNames: names.shortNames }),
      ...(names.categories && { categories: names.categories }),
      namespaced: spec.scope === 'Namespaced',
      ...(subresources?.status && { status: true }),
      ...(subresources?.scale && { scale: subresources.scale }),
      columns: columnsOf(version),
    },
    schema,
    builtIn: false,
    check,
    fieldSelectors: Object.fromEntries(
      (version.selectableFields ?? []).map(({ jsonPath }) => [jsonPath.replace(/^\./, ''), valueAt(jsonPath)]),
    ),
    ...(version.deprecated && {
      deprecationWarning: version.deprecationWarning ?? `${spec.group}/${version.name} ${names.kind} is deprecated`,
    }),
    ...(isDefinition(definition, 'Terminating') && { verbs: TERMINATING_VERBS }),
  }
}

const NAME_COLUMN: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name must be unique within a namespace.',
  jsonPath: '.metadata.name',
}
const AGE_COLUMN: Column = {
  name: 'Age',
  type: 'date',
  description: 'CreationTimestamp is a timestamp representing the server time when this object was created.',
  jsonPath: '.metadata.creationTimestamp',
}

function columnsOf({ additionalPrinterColumns }: DefinedVersion): readonly Column[] {
  if (!additionalPrinterColumns || additionalPrinterColumns.length === 0) return [NAME_COLUMN, AGE_COLUMN]
  // The format belongs to the value (`date-time`); in a table only `name` means something.
  return [NAME_COLUMN, ...additionalPrinterColumns.map(({ format: _, ...column }): Column => column)]
}

function valueAt(jsonPath: string): (object: KubeObject) => string {
  return (object) => {
    const [value] = jsonPathValues(jsonPath, object)
    return value === undefined || value === null ? '' : String(value)
  }
}
