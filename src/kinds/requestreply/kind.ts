import type { Kind } from '../../apimachinery/kind.js'
import { readyColumns } from '../ready-columns.js'
import type { RequestReply } from './schema.js'

export const requestReplyKind: Kind<RequestReply> = {
  group: 'eventing.knative.dev',
  version: 'v1alpha1',
  kind: 'RequestReply',
  plural: 'requestreplies',
  singular: 'requestreply',
  shortNames: ['rr'],
  categories: ['all', 'knative', 'eventing'],
  namespaced: true,
  status: true,
  columns: [{ name: 'URL', type: 'string', jsonPath: '.status.address.url' }, ...readyColumns],
}
