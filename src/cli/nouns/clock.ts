import { humanDuration } from '../../apimachinery/age.js'
import { goDurationMs } from '../../base/duration.js'
import { UserError } from '../../base/user-error.js'
import type { Client } from '../../client/client.js'
import { emulatorClockKind } from '../../kinds/emulator/clock/kind.js'
import { CLOCK_NAME, type EmulatorClock } from '../../kinds/emulator/clock/schema.js'
import { usageError } from '../arguments.js'
import type { TargetFlags } from '../kn-command.js'
import type { World } from '../world.js'

/** Whose clock is meant, and the flags that lead to its API. */
export interface ClockTarget {
  instance: string
  flags: TargetFlags
}

/**
 * The emulator a clock command is about: the one that `--name` names, else the one that a kubeconfig or context chosen on
 * purpose leads to (as in `kn emulator exec`), else the default one. Throws a UserError when it does not exist or run.
 */
export async function clockTarget(flags: TargetFlags & { name: string }, isNamed: boolean, world: World): Promise<ClockTarget> {
  const chosen = isNamed ? undefined : await chosenEmulator(flags, world)
  if (chosen !== undefined) return { instance: chosen, flags }
  const [{ runningInstance }, { instancePaths }, { readRecord }] = await Promise.all([
    import('../../emulator/instance.js'),
    import('../../emulator/paths.js'),
    import('../../emulator/record.js'),
  ])
  const { name } = flags
  const paths = instancePaths(name, world.env)
  const record = readRecord(paths)
  const remedies = [`kn emulator start${isNamed ? ` --name ${name}` : ''} --clock virtual`]
  if (!record) throw new UserError({ code: 'no-instance', what: `there is no emulator '${name}'`, remedies })
  if (!(await runningInstance(record, paths)))
    throw new UserError({ code: 'not-running', what: `emulator '${name}' is not running`, remedies: ['kn emulator start'] })
  return { instance: name, flags: { ...flags, kubeconfig: paths.kubeconfig, context: undefined, cluster: undefined } }
}

async function chosenEmulator(flags: TargetFlags, world: World): Promise<string | undefined> {
  if (!flags.kubeconfig && !flags.context && !world.env['KUBECONFIG']) return undefined
  const [{ targetDeps }, { kubeconfigPaths }, { accessFrom, readKubeconfigs }, { readFileIfExists }] = await Promise.all([
    import('../connect.js'),
    import('../target.js'),
    import('../../client/kubeconfig.js'),
    import('../read-file.js'),
  ])
  const { parseYaml } = targetDeps(world)
  const config = await readKubeconfigs(kubeconfigPaths(flags, world), { readFile: readFileIfExists, parseYaml })
  return accessFrom(config, { context: flags.context, cluster: flags.cluster })?.emulator?.instance
}

/** The Clock as it is now. */
export function readClock(client: Client): Promise<EmulatorClock> {
  return client.get(emulatorClockKind, { name: CLOCK_NAME })
}

/** Freezes, resumes or advances; resolves once what that sets going has settled. */
export function setClock(client: Client, spec: Partial<EmulatorClock['spec']>): Promise<EmulatorClock> {
  return client.patch(emulatorClockKind, { name: CLOCK_NAME }, { type: 'application/merge-patch+json', body: { spec } })
}

/** The DURATION of `advance`, as it was written. Throws a usage error unless it is one that leads forward. */
export function stepFrom(text: string, command: string): string {
  const ms = goDurationMs(text)
  if (ms === undefined) throw usageError(`'${command}': invalid DURATION "${text}": time: invalid duration "${text}"`)
  if (ms < 1) throw usageError(`'${command}': invalid DURATION "${text}": must be at least 1ms`)
  return text
}

/** What `kn emulator clock show` shows, in a form that scripts can read. */
export interface ClockView {
  emulator: string
  mode: 'Real' | 'Frozen'
  now: string
  /** How far it is ahead of the machine's clock. */
  offset: string
  nextTimer: string | null
}

export function clockView({ status }: EmulatorClock, emulator: string): ClockView {
  const { mode, now, offset, nextTimer = null } = status!
  return { emulator, mode, now, offset, nextTimer }
}

/** The same for people. */
export function clockLines({ emulator, mode, now, offset, nextTimer }: ClockView): string[] {
  const rows: [string, string][] = [
    ['Name', emulator],
    ['Mode', mode],
    ['Now', now],
    ['Offset', offset],
    ['Next timer', nextTimer === null ? 'none' : `${nextTimer} (in ${humanDuration(Date.parse(nextTimer) - Date.parse(now))})`],
  ]
  return rows.map(([label, value]) => `${`${label}:`.padEnd(13)}${value}`)
}

/** Where the clock stands after a command has moved or stopped it. */
export function standsLine({ status }: EmulatorClock, emulator: string): string {
  const { mode, now } = status!
  return mode === 'Frozen'
    ? `The clock of emulator '${emulator}' stands at ${now}.`
    : `The clock of emulator '${emulator}' goes on from ${now}.`
}
