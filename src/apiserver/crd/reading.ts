import { deepEqual } from '../../apimachinery/json.js'
import type { KubeObject } from '../../apimachinery/object.js'
import { prune } from '../../apimachinery/prune.js'
import type { Schema } from '../../apimachinery/schema.js'
import { applySchemaDefaults } from '../../apimachinery/schema-check.js'
import type { Convert } from './conversion.js'

/** How a resource's objects look to its callers, where that is not always how they are stored. */
export interface Reading {
  /** Objects of the store as this version shows them; the same ones again for the same ones. A promise where a webhook is asked. */
  shown(objects: readonly KubeObject[]): readonly KubeObject[] | Promise<readonly KubeObject[]>
  /** An object of this version as it is to be stored. */
  stored(object: KubeObject): KubeObject | Promise<KubeObject>
  /** Whether both may ask a webhook. */
  isRemote: boolean
}

/**
 * What lies between the store and a user-defined version: the other version it may be stored in, fields that the schema has
 * dropped since, and defaults that it has gained.
 * @see kubernetes/apiextensions-apiserver v0.35 pkg/apiserver/customresource_handler.go, crdConversionRESTOptionsGetter
 */
export function createReading(options: {
  apiVersion: string
  storageApiVersion: string
  schema: Schema
  convert: Convert
  isRemote: boolean
}): Reading {
  const { apiVersion, storageApiVersion, schema, convert, isRemote } = options
  const known = new WeakMap<KubeObject, KubeObject>()

  const tidied = (object: KubeObject): KubeObject => {
    const whole = applySchemaDefaults(schema, prune(schema, object).object)
    return deepEqual(whole, object) ? object : whole
  }
  const remember = (objects: readonly KubeObject[], converted: readonly KubeObject[]): void => {
    for (const [index, object] of objects.entries()) known.set(object, tidied(converted[index]!))
  }

  return {
    isRemote,
    shown(objects) {
      const fresh = objects.filter((object) => !known.has(object))
      const all = (): readonly KubeObject[] => objects.map((object) => known.get(object)!)
      if (fresh.length === 0) return all()
      const converted = convert(fresh, apiVersion)
      if (converted instanceof Promise) {
        return converted.then((arrived) => {
          remember(fresh, arrived)
          return all()
        })
      }
      remember(fresh, converted)
      return all()
    },
    stored(object) {
      if (object.apiVersion === storageApiVersion) return object
      const converted = convert([object], storageApiVersion)
      return converted instanceof Promise ? converted.then(([only]) => only!) : converted[0]!
    },
  }
}
