import { below, enforced, type ParityTable, refused } from '../../apimachinery/parity.js'
import { revisionTemplateParity } from '../revision/parity.js'
import { routeStatusParity, trafficParity } from '../route/parity.js'

export const serviceParity: ParityTable = [
  ...below('spec', [...revisionTemplateParity, ...trafficParity.filter(({ field }) => field !== 'traffic[].configurationName')]),
  ...refused('as on a cluster: a Service has one Configuration', 'spec.traffic[].configurationName'),
  ...below('status', routeStatusParity),
  ...enforced('status.latestCreatedRevisionName', 'status.latestReadyRevisionName'),
]
