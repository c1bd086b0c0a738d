import { kindsFrom } from '../notation.js'
import { ACCESS } from './access.js'
import { CLUSTER } from './cluster.js'
import { CORE } from './core.js'
import { CORE_POD } from './core-pod.js'
import { CORE_VOLUMES } from './core-volumes.js'
import { EXTENSIONS } from './extensions.js'
import { META } from './meta.js'
import { WORKLOADS } from './workloads.js'

/** Every kind that a protobuf body can be. */
export const KINDS = kindsFrom([META, CORE, CORE_POD, CORE_VOLUMES, WORKLOADS, ACCESS, CLUSTER, EXTENSIONS].join(''))
