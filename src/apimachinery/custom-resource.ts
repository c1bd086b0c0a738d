import type { Column } from './kind.js'
import type { KubeObject } from './object.js'
import type { Schema } from './schema.js'

/**
 * CustomResourceDefinition as it is stored: a kind that users define.
 * @see kubernetes/apiextensions-apiserver v0.35 pkg/apis/apiextensions/v1/types.go
 */
export interface CustomResourceDefinition extends KubeObject {
  spec: {
    group: string
    names: DefinedNames
    scope: 'Namespaced' | 'Cluster'
    versions: DefinedVersion[]
    conversion?: DefinedConversion
    preserveUnknownFields?: boolean
  }
  status?: DefinitionStatus
}

export interface DefinedNames {
  plural: string
  singular?: string
  kind: string
  listKind?: string
  shortNames?: string[]
  categories?: string[]
}

export interface DefinedVersion {
  name: string
  served: boolean
  storage: boolean
  deprecated?: boolean
  deprecationWarning?: string
  schema?: { openAPIV3Schema?: Schema }
  subresources?: {
    status?: object
    scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string }
  }
  additionalPrinterColumns?: {
    name: string
    type: Column['type']
    format?: string
    description?: string
    priority?: number
    jsonPath: string
  }[]
  selectableFields?: { jsonPath: string }[]
}

export interface DefinedConversion {
  strategy: 'None' | 'Webhook'
  webhook?: {
    clientConfig?: {
      url?: string
      service?: { namespace: string; name: string; path?: string; port?: number }
      /** PEM in base64. */
      caBundle?: string
    }
    conversionReviewVersions?: string[]
  }
}

export interface DefinitionStatus {
  conditions?: DefinitionCondition[]
  acceptedNames?: DefinedNames
  storedVersions?: string[]
}

export interface DefinitionCondition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  lastTransitionTime?: string
  reason?: string
  message?: string
}

/** Under which name the store keeps definitions. */
export const DEFINITIONS = 'customresourcedefinitions.apiextensions.k8s.io'

/** Whether a condition of a definition is True. */
export function isDefinition({ status }: CustomResourceDefinition, condition: 'Established' | 'NamesAccepted' | 'Terminating'): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === condition && value === 'True') ?? false
}
