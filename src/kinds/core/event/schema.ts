import type { KubeObject } from '../../../apimachinery/object.js'

export interface ObjectReference {
  kind?: string
  namespace?: string
  name?: string
  uid?: string
  apiVersion?: string
  resourceVersion?: string
  fieldPath?: string
}

export interface Event extends KubeObject {
  involvedObject: ObjectReference
  reason?: string
  message?: string
  source?: { component?: string; host?: string }
  firstTimestamp?: string | null
  lastTimestamp?: string | null
  count?: number
  type?: string
  eventTime?: string | null
  reportingComponent?: string
  reportingInstance?: string
  action?: string
  series?: { count: number; lastObservedTime: string }
  related?: ObjectReference
}
