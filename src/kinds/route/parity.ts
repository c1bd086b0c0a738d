import { below, enforced, type ParityTable, refused, stored } from '../../apimachinery/parity.js'
import { statusParity } from '../duck-parity.js'

/** Relative to the spec of a Route. */
export const trafficParity: ParityTable = [
  ...enforced('traffic[].configurationName', 'traffic[].latestRevision', 'traffic[].percent', 'traffic[].revisionName', 'traffic[].tag'),
  ...refused('as on a cluster: it is for the status', 'traffic[].url'),
]

/** Of Routes and Services. */
export const routeStatusParity: ParityTable = [
  ...statusParity,
  ...enforced('url', 'address.url', 'traffic[].*'),
  ...stored('where it comes from, the name of the Revision tells: Knative writes that instead', 'traffic[].configurationName'),
  ...stored('a Route has one address, without TLS and without authentication', 'address.CACerts', 'address.audience', 'address.name'),
]

export const routeParity: ParityTable = [...below('spec', trafficParity), ...below('status', routeStatusParity)]
