import { Flags } from '@oclif/core'
import { stringArrayFlag } from '../../cli/flags.js'
import { EVENT_STATES, type EventState } from '../../kinds/emulator/eventrecord/schema.js'
import type { RecordFilter } from './records.js'

/** Which events are meant. */
export const filterFlags = {
  type: Flags.string({ description: 'Only events of this type.' }),
  source: Flags.string({ description: 'Only events from this source.' }),
  subject: Flags.string({ description: 'Only events about this subject.' }),
  broker: Flags.string({ description: 'Only events that this broker took.' }),
}

export const stateFlag = {
  state: Flags.custom<EventState>({
    description: `Only events of this state, one of: ${EVENT_STATES.join(', ')}.`,
    parse: async (input) => {
      const state = EVENT_STATES.find((name) => name.toLowerCase() === input.toLowerCase())
      if (!state) throw new Error(`must be one of ${EVENT_STATES.join(', ')}`)
      return state
    },
  })(),
}

export function filterFrom(flags: RecordFilter): RecordFilter {
  const { type, source, subject, broker, id, state } = flags
  return { type, source, subject, broker, id, state }
}

/** What an event is made of, as kn-plugin-event has it. */
export const buildFlags = {
  type: Flags.string({ char: 't', default: 'dev.knative.cli.plugin.event.generic', description: 'Type of the event.' }),
  id: Flags.string({ char: 'i', description: 'Id of the event (default: a random UUID).' }),
  source: Flags.string({ char: 's', description: 'Source of the event (default: kn-event/VERSION).' }),
  field: Flags.string({
    char: 'f',
    multiple: true,
    multipleNonGreedy: true,
    description:
      'A field of the data as PATH=VALUE, where PATH has dots; true, false and numbers are taken as such. May be given several times.',
  }),
  'raw-field': stringArrayFlag({ description: 'A field of the data as PATH=VALUE, always a text. May be given several times.' }),
}

const OUTPUTS = ['human', 'json', 'yaml'] as const
export type BuildOutput = (typeof OUTPUTS)[number]

/** What `build` and `send` take besides. */
export const eventOutputFlags = {
  output: Flags.custom<BuildOutput>({
    char: 'o',
    default: 'human',
    description: `Output format. One of: ${OUTPUTS.join('|')}.`,
    parse: async (input) => {
      const output = OUTPUTS.find((name) => name === input.toLowerCase())
      if (!output) throw new Error(`must be ${OUTPUTS.map((name) => `'${name}'`).join(', ')}`)
      return output
    },
  })(),
  verbose: Flags.boolean({ char: 'v', description: 'Show more.' }),
}
