import type { AdmissionContext } from '../../apimachinery/kind.js'
import { defaultTemplate } from '../configuration/defaults.js'
import { defaultTraffic } from '../route/defaults.js'
import { setUserInfo } from '../serving-metadata.js'
import type { Service } from './schema.js'

/** @see knative/serving v1.23 pkg/apis/serving/v1/service_defaults.go */
export function defaultService(draft: Service, context: AdmissionContext<Service>): void {
  defaultTemplate(draft, context)
  if (!draft.spec.traffic || draft.spec.traffic.length === 0) draft.spec.traffic = [{ latestRevision: true, percent: 100 }]
  defaultTraffic(draft.spec.traffic)
  setUserInfo(draft, context)
}
