import type { Column } from '../apimachinery/kind.js'

/** The two columns nearly every Knative kind ends with (config/core/300-resources). */
export const readyColumns: readonly Column[] = [
  { name: 'Ready', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].status" },
  { name: 'Reason', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].reason" },
]
