import type { World } from './world.js'

/** Tells how long something has taken, in milliseconds, and what it waits for. */
export type Report = (elapsedMs: number, message: string) => void

/**
 * Shows a wait while it lasts. In a pipe, in CI and on a dumb terminal these are kn's plain lines: the title, a blank line, one line per
 * message (`...` for a repeated one), and `done` with the time it took. On a terminal it is a task that comes to its end.
 */
export async function withProgress<T>(
  world: World,
  { title, done }: { title: string; done: string },
  work: (report: Report) => Promise<T>,
): Promise<T> {
  return isInteractive(world) ? asTask(world, title, done, work) : asLines(world, title, done, work)
}

const NARROWEST = 20

function isInteractive({ env, stdout }: World): boolean {
  // Some terminals (those of script and expect) have no width, and a task would take a line per character.
  const isWide = (stdout.columns ?? 0) >= NARROWEST
  return stdout.isTerminal && isWide && !env['CI'] && env['TERM'] !== 'dumb' && !env['NO_COLOR']
}

async function asLines<T>({ stdout, clock }: World, title: string, done: string, work: (report: Report) => Promise<T>): Promise<T> {
  const startedMs = clock.now()
  const line = (elapsedMs: number, text: string): void => stdout.write(`${seconds(elapsedMs)} ${text}\n`)
  let last = ''
  stdout.write(`${title}\n\n`)
  const result = await work((elapsedMs, message) => {
    line(elapsedMs, message === last ? '...' : message)
    last = message
  })
  line(clock.now() - startedMs, done)
  stdout.write('\n')
  return result
}

async function asTask<T>({ clock }: World, title: string, done: string, work: (report: Report) => Promise<T>): Promise<T> {
  const { Listr } = await import('listr2')
  const startedMs = clock.now()
  let result: { value: T } | undefined
  await new Listr(
    [
      {
        title: title.replace(/:$/, ''),
        task: async (_, task) => {
          result = {
            value: await work((_elapsedMs, message) => {
              task.output = message
            }),
          }
          task.title = `${title.replace(/:$/, '')}: ${done} (${seconds(clock.now() - startedMs).trim()})`
        },
      },
    ],
    // The error is printed once, by the program, as kn prints it.
    { rendererOptions: { showErrorMessage: false } },
  ).run()
  return result!.value
}

/** As Go's %7.3fs. */
function seconds(elapsedMs: number): string {
  return `${(elapsedMs / 1000).toFixed(3).padStart(7)}s`
}
