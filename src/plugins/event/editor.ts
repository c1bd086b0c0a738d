import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UserError } from '../../base/user-error.js'
import { runInForeground } from '../../cli/spawn.js'
import type { World } from '../../cli/world.js'
import type { CloudEvent } from '../../cloudevents/event.js'
import { jsonFromEvent } from '../../cloudevents/structured.js'
import { eventFromText } from './recorded-event.js'

const DEFAULT_EDITOR = 'vi'

/** The event as the person left it in the editor of their choice. Throws a UserError when the editor failed, or what it left is no event. */
export async function editedByHand(event: CloudEvent, { env }: World): Promise<CloudEvent> {
  const directory = mkdtempSync(join(tmpdir(), 'kn-event-'))
  const file = join(directory, 'event.json')
  try {
    const before = jsonFromEvent(event)
    writeFileSync(file, before, { mode: 0o600 })
    const words = (env['VISUAL'] || env['EDITOR'] || DEFAULT_EDITOR).split(/\s+/).filter(Boolean)
    const exitCode = await runInForeground([...words, file], env)
    if (exitCode !== 0)
      throw new UserError({ code: 'cannot-run', what: `the editor '${words.join(' ')}' ended with ${exitCode}`, why: 'nothing was sent' })
    const after = readFileSync(file)
    // What was not touched keeps its bytes, whatever JSON can say of them.
    return after.equals(before) ? event : eventFromText(after.toString(), 'what the editor left')
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
