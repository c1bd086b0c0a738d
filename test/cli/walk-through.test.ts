import { expect } from 'vitest'
import { until } from '../support/daemon.js'
import { HELLO_IMAGE, run, test } from '../support/emulator.js'
import { findKubectls } from '../support/kubectl.js'

const REQUESTS = 1000
/** Four standard deviations of a fair coin over that many throws: by chance alone outside once in 16,000 runs. */
const BOUND = 4 * Math.sqrt(REQUESTS * 0.25)

/**
 * What people use Knative Serving for, by the tools they use: kn and kubectl as programs, curl for the requests. The clock
 * is virtual, so that idling for a minute takes no time.
 */
test('create, change, tag, pin, split, idle to zero, wake, burst, and back', async ({ kn, emulator, clock }) => {
  const [kubectl] = findKubectls().toReversed()
  const get = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await run(kubectl!.path, args, emulator.env)
    expect({ args, exitCode, stderr }).toEqual({ args, exitCode: 0, stderr: '' })
    return stdout
  }
  const ok = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await kn(args)
    expect({ args, exitCode, errors: stderr.match(/^Error.*/gm) }).toEqual({ args, exitCode: 0, errors: null })
    return stdout
  }
  const { external } = emulator.ports
  const host = (name: string): string => `${name}.default.localhost:${external}`
  const curl = async (name: string, path = '/'): Promise<string> => {
    const at = ['--resolve', `${host(name)}:127.0.0.1`]
    const { exitCode, stdout, stderr } = await run('curl', ['-sS', '--fail-with-body', ...at, `http://${host(name)}${path}`], emulator.env)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    return stdout.trim()
  }
  const pods = async (revision: string): Promise<string[]> =>
    (
      await get(
        'get',
        'pods',
        '-l',
        `serving.knative.dev/revision=${revision}`,
        '-o',
        'jsonpath={range .items[?(@.status.phase=="Running")]}{.metadata.name} {end}',
      )
    )
      .split(' ')
      .filter(Boolean)

  // Create, and change the environment: a second revision takes the traffic.
  await ok('service', 'create', 'hello', '--image', HELLO_IMAGE, '--env', 'TARGET=One')
  expect(await curl('hello')).toBe('Hello One!')
  await ok('service', 'update', 'hello', '--env', 'TARGET=Two')
  expect(await curl('hello')).toBe('Hello Two!')

  // A tag has a URL of its own; pinned to the first revision, the service leaves the second to its tag.
  await ok('service', 'update', 'hello', '--tag', 'hello-00001=old', '--tag', 'hello-00002=new', '--traffic', 'hello-00001=100')
  expect([await curl('hello'), await curl('old-hello'), await curl('new-hello')]).toEqual(['Hello One!', 'Hello One!', 'Hello Two!'])
  await ok('service', 'update', 'hello', '--env', 'TARGET=Three')
  expect(await curl('hello')).toBe('Hello One!')

  // Half and half.
  await ok('service', 'update', 'hello', '--traffic', 'hello-00001=50', '--traffic', 'hello-00002=50')
  const many = await run(
    'curl',
    ['-sS', '--resolve', `${host('hello')}:127.0.0.1`, '-w', '\n', `http://${host('hello')}/?[1-${REQUESTS}]`],
    emulator.env,
  )
  const answers = many.stdout.split('\n').filter((line) => line.startsWith('Hello'))
  expect(answers).toHaveLength(REQUESTS)
  const ones = answers.filter((line) => line === 'Hello One!').length
  expect(answers.filter((line) => line === 'Hello Two!')).toHaveLength(REQUESTS - ones)
  expect(Math.abs(ones - REQUESTS / 2), `${ones} of ${REQUESTS}`).toBeLessThanOrEqual(BOUND)
  expect(await ok('revision', 'list')).toMatch(/^hello-00001 +hello +50% +old /m)

  // Idle: every revision goes to zero, and says why.
  await clock.advance(150_000)
  await until(async () => ((await get('get', 'pods', '-o', 'name')) === '' ? true : undefined), 20_000, 'the end of the pods')
  const active = '{range .status.conditions[?(@.type=="Active")]}{.status} {.reason}{end}'
  expect(await get('get', 'revision', 'hello-00001', '-o', `jsonpath=${active}`)).toBe('False NoTraffic')
  expect(await get('get', 'ksvc', 'hello', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')).toBe('True')

  // Woken by a request, which is held and answered.
  expect(await curl('old-hello')).toBe('Hello One!')
  expect(await pods('hello-00001')).toHaveLength(1)

  // A burst: one request at a time in each instance makes several of them.
  await ok('service', 'create', 'busy', '--image', 'ghcr.io/knative/autoscale-go', '--concurrency-limit', '1', '--scale-max', '5')
  let isBurst = true
  const load = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (isBurst) await curl('busy', '/?sleep=50')
    }),
  )
  await until(
    async () => {
      await clock.advance(2000)
      return (await pods('busy-00001')).length === 5 || undefined
    },
    60_000,
    'five pods',
  )
  isBurst = false
  await load

  // And back.
  await clock.advance(300_000)
  await until(async () => ((await pods('busy-00001')).length === 0 ? true : undefined), 20_000, 'the end of the burst')
  expect(await curl('busy', '/?sleep=1')).toMatch(/Slept for/)
})
