import type { Kind } from '../../../apimachinery/kind.js'
import type { KubeObject } from '../../../apimachinery/object.js'

export interface IngressClass extends KubeObject {
  spec?: {
    controller?: string
    parameters?: { apiGroup?: string; kind: string; name: string; namespace?: string; scope?: string }
  }
}

export const ingressClassKind: Kind<IngressClass> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  singular: 'ingressclass',
  namespaced: false,
}
