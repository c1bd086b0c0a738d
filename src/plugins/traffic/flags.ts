import { Flags } from '@oclif/core'
import { namespaceFlag, waitFlags } from '../../cli/flags.js'

/** What the commands that change traffic take. */
export const changeFlags = {
  'dry-run': Flags.boolean({ description: 'Show what would change, and change nothing.' }),
  ...waitFlags,
  ...namespaceFlag,
}
