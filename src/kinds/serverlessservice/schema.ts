import type { Condition } from '../../apimachinery/conditions.js'
import type { KubeObject } from '../../apimachinery/object.js'

export interface ServerlessService extends KubeObject {
  spec: {
    mode: 'Proxy' | 'Serve'
    objectRef: { apiVersion: string; kind: string; name: string }
    protocolType: 'http1' | 'h2c'
    numActivators?: number
  }
  status?: { observedGeneration?: number; conditions?: Condition[]; serviceName?: string; privateServiceName?: string }
}
