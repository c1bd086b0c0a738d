import { writeFileSync } from 'node:fs'
import { Flags } from '@oclif/core'
import { goDurationMs } from '../../base/duration.js'
import { usageError } from '../../cli/arguments.js'
import { intFlag, namespaceFlag, stringArrayFlag } from '../../cli/flags.js'
import { KnCommand } from '../../cli/kn-command.js'
import type { Client } from '../../client/client.js'
import type { EventRecord } from '../../kinds/emulator/eventrecord/schema.js'
import { filterFlags, filterFrom, stateFlag } from './flags.js'

const TOLD = 10
const LOOKED_AT = 500

const durationFlag = Flags.custom<number>({
  helpValue: 'duration',
  parse: async (input) => {
    const ms = goDurationMs(input)
    if (ms === undefined || ms < 0) throw new Error('must be a duration such as 10s, 500ms or 2m')
    return ms
  },
})

export default class EventExpect extends KnCommand {
  static override summary = 'Wait for events, for tests'
  static override description =
    `Waits until as many events as expected are on record that are all that is asked for, and exits 0. When time is up first, exits 1 and tells on standard error what came instead, the nearest first.

Events that came before count too, unless --since says how old they may be. --count 0 waits for the whole time and expects none. Time is that of this machine, not of the emulator's clock, but for --since.`
  static override flags = {
    ...filterFlags,
    id: Flags.string({ description: 'Only events with this id.' }),
    ...stateFlag,
    extension: stringArrayFlag({ description: 'Only events with this extension: NAME=VALUE. May be given several times.' }),
    data: stringArrayFlag({
      description: 'Only events whose JSON data has this: JSONPATH=VALUE, such as $.order.id=42. May be given several times.',
    }),
    count: intFlag({ default: 1, description: 'How many events are expected, at least; 0 for none at all.' }),
    within: durationFlag({ default: 10_000, defaultHelp: async () => '10s', description: 'How long to wait (default: 10s).' }),
    since: durationFlag({ description: 'Only events that were taken so long ago at most.' }),
    junit: Flags.string({ description: 'Also write the outcome to this file, as a JUnit report.' }),
    ...namespaceFlag,
  }
  static override examples = [
    {
      description: 'After the order is placed, mail is sent',
      command: "<%= config.bin %> event expect --type mail.sent --data '$.order=42' --state Delivered --within 10s",
    },
    { description: 'Nothing failed while the tests ran', command: '<%= config.bin %> event expect --state Failed --count 0 --within 0s' },
  ]

  async run(): Promise<number> {
    const { flags } = await this.parse(EventExpect)
    if (flags.count < 0) throw usageError('--count takes a number from 0 on')
    const { conditionsFrom, insteadText, junitText, wantedText } = await import('./expectation.js')
    const conditions = conditionsFrom(flags)
    const client = await this.connect(flags)
    const namespace = this.namespaceOf(flags)
    const startMs = this.world.clock.now()

    const { isMet, came } = await this.watchFor(client, namespace, flags, (record) =>
      conditions.every(({ expected, actual }) => actual(record) === expected),
    )
    const seconds = (this.world.clock.now() - startMs) / 1000
    const wanted = wantedText(conditions, flags.count)
    const message = `expected ${flags.count > 1 ? 'at least ' : ''}${wanted} within ${flags.within / 1000}s, got ${came.length}`
    const details = isMet
      ? ''
      : flags.count === 0
        ? insteadText(came, conditions, TOLD)
        : insteadText(await this.newest(client, namespace, flags.since), conditions, TOLD)
    if (flags.junit !== undefined)
      this.report(flags.junit, junitText({ name: wanted, seconds, failure: isMet ? undefined : { message, details } }))
    if (isMet) {
      this.log(
        flags.count === 0
          ? `No such event within ${flags.within / 1000}s.`
          : `${came.length} such ${came.length === 1 ? 'event' : 'events'} after ${seconds.toFixed(1)}s.`,
      )
      return 0
    }
    this.logToStderr(`Error: ${message}`)
    this.world.stderr.write(details)
    return 1
  }

  /** Looks at what is there, then at what comes, until there are enough or time is up. */
  private async watchFor(
    client: Client,
    namespace: string,
    flags: { count: number; within: number; since?: number | undefined } & Parameters<typeof filterFrom>[0],
    isWanted: (record: EventRecord) => boolean,
  ): Promise<{ isMet: boolean; came: EventRecord[] }> {
    const { changesOfRecords, newestRecords } = await import('./records.js')
    // The state may still become what is expected, so it is not the server that looks at it.
    const filter = { ...filterFrom(flags), state: undefined }
    const matching = new Map<string, EventRecord>()
    const isEnough = (): boolean => (flags.count === 0 ? matching.size > 0 : matching.size >= flags.count)
    const look = (record: EventRecord): void => {
      if (this.isRecent(record, flags.since) && isWanted(record)) matching.set(record.metadata.name, record)
      else matching.delete(record.metadata.name)
    }
    const { items, resourceVersion } = await newestRecords(client, namespace, { filter, limit: 0 })
    for (const record of [...items].reverse()) look(record)

    const timeUp = new AbortController()
    const cancel = this.world.clock.after(flags.within, () => timeUp.abort())
    try {
      if (!isEnough()) {
        for await (const record of changesOfRecords(client, namespace, { filter, resourceVersion, signal: timeUp.signal })) {
          look(record)
          if (isEnough()) break
        }
      }
    } finally {
      cancel()
    }
    return { isMet: isEnough() !== (flags.count === 0), came: [...matching.values()] }
  }

  private async newest(client: Client, namespace: string, sinceMs: number | undefined): Promise<EventRecord[]> {
    const { newestRecords } = await import('./records.js')
    const { items } = await newestRecords(client, namespace, { limit: LOOKED_AT })
    return items.filter((record) => this.isRecent(record, sinceMs))
  }

  private isRecent({ spec }: EventRecord, sinceMs: number | undefined): boolean {
    return sinceMs === undefined || Date.parse(spec.acceptedAt) >= this.nowMs() - sinceMs
  }

  private report(file: string, text: string): void {
    try {
      writeFileSync(file, text)
    } catch (error) {
      throw usageError(`open ${file}: ${(error as Error).message}`)
    }
  }
}
