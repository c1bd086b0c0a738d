/**
 * A process of its own beside the emulator. It learns on its stdin which process groups were started (`+<pgid>`) and have ended
 * (`-<pgid>`); when stdin ends, the emulator has ended, in whichever way: then it ends every workload that is left, and itself.
 * Its one argument is the instance's marker; its own environment does not carry it.
 */
import { createSystemClock } from '../base/clock.js'
import { endWorkloads } from './marked-processes.js'

/** From fork to exec, generously. */
const STARTING_MS = 100

const clock = createSystemClock()
const marker = process.argv[2] ?? ''
const groups = new Set<number>()
let rest = ''

// Ends with the emulator and at no other time: a ^C or a closing terminal is meant for the emulator, and then reaches us as the end of stdin.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})

process.stdin.setEncoding('latin1')
process.stdin.on('data', (text: string) => {
  const lines = (rest + text).split('\n')
  rest = lines.pop()!
  for (const line of lines) {
    const pgid = Number(line.slice(1))
    if (line.startsWith('+')) groups.add(pgid)
    else groups.delete(pgid)
  }
})
// A broken pipe is an end as well.
process.stdin.on('error', () => {})
process.stdin.once('close', () => void end())

async function end(): Promise<void> {
  await endWorkloads({ groups, marker, clock })
  // One that the emulator was just starting carries the marker only a moment later.
  await clock.sleep(STARTING_MS)
  await endWorkloads({ marker, clock })
  process.exit(0)
}
