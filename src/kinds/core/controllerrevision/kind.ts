import type { Kind } from '../../../apimachinery/kind.js'
import type { ControllerRevision } from './schema.js'

export const controllerRevisionKind: Kind<ControllerRevision> = {
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  singular: 'controllerrevision',
  namespaced: true,
}
