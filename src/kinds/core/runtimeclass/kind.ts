import type { Kind } from '../../../apimachinery/kind.js'
import type { KubeObject } from '../../../apimachinery/object.js'

export interface RuntimeClass extends KubeObject {
  handler: string
  overhead?: { podFixed?: Record<string, string> }
  scheduling?: { nodeSelector?: Record<string, string>; tolerations?: object[] }
}

export const runtimeClassKind: Kind<RuntimeClass> = {
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  singular: 'runtimeclass',
  namespaced: false,
}
