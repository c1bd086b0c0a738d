import type { Kind } from '../apimachinery/kind.js'
import type { KubeObject } from '../apimachinery/object.js'

/** The two kinds that the machinery itself reads and writes. src/kinds declares them in full; imports do not point there. */

export interface ConfigData extends KubeObject {
  data?: Record<string, string>
}

export const configData: Kind<ConfigData> = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  singular: 'configmap',
  namespaced: true,
}

export interface RecordedEvent extends KubeObject {
  involvedObject: { apiVersion?: string; kind?: string; namespace?: string; name?: string; uid?: string; fieldPath?: string }
  reason?: string
  message?: string
  type?: string
  count?: number
  source?: { component?: string; host?: string }
  firstTimestamp?: string | null
  lastTimestamp?: string | null
  eventTime?: string | null
  series?: { count: number; lastObservedTime: string }
  reportingComponent?: string
  reportingInstance?: string
}

export const recordedEvent: Kind<RecordedEvent> = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  namespaced: true,
}
