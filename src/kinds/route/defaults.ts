import type { AdmissionContext } from '../../apimachinery/kind.js'
import { setUserInfo } from '../serving-metadata.js'
import type { Route, TrafficTarget } from './schema.js'

/** @see knative/serving v1.23 pkg/apis/serving/v1/route_defaults.go */
export function defaultRoute(draft: Route, context: AdmissionContext<Route>): void {
  draft.spec ??= {}
  defaultTraffic(draft.spec.traffic)
  if (!draft.metadata.ownerReferences?.length) setUserInfo(draft, context)
}

/** Says of each target whether it follows the latest Revision, and gives it a percentage. */
export function defaultTraffic(traffic: readonly TrafficTarget[] | undefined): void {
  if (!Array.isArray(traffic)) return
  for (const target of traffic as TrafficTarget[]) {
    target.latestRevision ??= !target.revisionName
    target.percent ??= 0
  }
}
