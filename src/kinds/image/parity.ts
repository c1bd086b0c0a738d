import { below, type ParityTable, stored } from '../../apimachinery/parity.js'
import { conditionsParity } from '../duck-parity.js'

const NO_CACHE = 'a request to cache an image, which nobody has to heed: nothing is pulled here'

export const imageParity: ParityTable = [
  ...stored(NO_CACHE, 'spec.image', 'spec.imagePullSecrets[].*', 'spec.serviceAccountName'),
  ...below(
    'status',
    conditionsParity.map(({ field }) => ({ field, state: 'stored', note: NO_CACHE })),
  ),
  ...stored(NO_CACHE, 'status.annotations'),
]
