import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Home, makeHome, processesWith, until } from '../support/daemon.js'
import { fetchFrom, HELLO_IMAGE, run } from '../support/emulator.js'

let home: Home
beforeEach(() => {
  home = makeHome({ KN_EMULATOR: '1' })
})
afterEach(async () => home.remove())

const start = async (): Promise<void> => {
  expect(await home.kn(['emulator', 'start', ...(await home.portFlags())])).toMatchObject({ exitCode: 0 })
}

describe('kn emulator', () => {
  test('start says where it listens, a second start changes nothing, status shows it, stop and a second stop are fine', async () => {
    const flags = await home.portFlags()
    const first = await home.kn(['emulator', 'start', ...flags])
    expect(first).toMatchObject({ exitCode: 0, stderr: "Starting the emulator 'default' ...\n" })
    expect(first.stdout).toMatch(/^Emulator 'default' is ready\.\n {2}API: {7}https:\/\/127\.0\.0\.1:\d+\n/)
    const { pid } = await home.status()

    const second = await home.kn(['emulator', 'start'])
    expect(second).toMatchObject({ exitCode: 0, stderr: '' })
    expect(second.stdout).toContain("Emulator 'default' is running already.")
    expect((await home.status()).pid).toBe(pid)

    expect(await home.kn(['emulator', 'stop'])).toEqual({ exitCode: 0, stdout: "Emulator 'default' stopped.\n", stderr: '' })
    expect(await home.kn(['emulator', 'stop'])).toEqual({ exitCode: 0, stdout: "Emulator 'default' is not running.\n", stderr: '' })
    const stopped = await home.kn(['emulator', 'status'])
    expect(stopped).toMatchObject({ exitCode: 1 })
    expect(stopped.stderr).toMatch(/^Error: emulator 'default' is not running\n/)
  })

  test('its context is added to a kubeconfig that keeps its comments and its current context, and is taken away again', async () => {
    mkdirSync(join(home.directory, '.kube'))
    const path = join(home.directory, '.kube', 'config')
    const before =
      '# mine\napiVersion: v1\nkind: Config\ncurrent-context: work\nclusters:\n  - name: work # the office\n    cluster:\n      server: https://192.0.2.1\ncontexts:\n  - name: work\n    context:\n      cluster: work\n      user: me\nusers:\n  - name: me\n    user: {}\n'
    writeFileSync(path, before)
    await start()
    const during = readFileSync(path, 'utf8')
    expect(during).toContain('# mine')
    expect(during).toContain('name: work # the office')
    expect(during).toContain('current-context: work')
    expect(during).toContain('name: kn-emulator')

    expect(await home.kn(['service', 'list', '--context', 'kn-emulator'])).toMatchObject({ exitCode: 0, stdout: 'No services found.\n' })
    expect(await home.kn(['emulator', 'start', '--use-context'])).toMatchObject({ exitCode: 0 })
    expect(readFileSync(path, 'utf8')).toContain('current-context: kn-emulator')
    expect(await home.kn(['emulator', 'delete'])).toMatchObject({ exitCode: 0, stdout: "Emulator 'default' deleted.\n" })
    const after = readFileSync(path, 'utf8')
    expect(after).not.toContain('kn-emulator')
    expect(after).toContain('name: work # the office')
    expect(existsSync(join(home.directory, '.local/state/kn-local/default'))).toBe(false)
  })

  test('a kubeconfig that held nothing but the emulator goes with it', async () => {
    await start()
    expect(existsSync(join(home.directory, '.kube', 'config'))).toBe(true)
    await home.kn(['emulator', 'delete'])
    expect(existsSync(join(home.directory, '.kube', 'config'))).toBe(false)
  })

  test('state survives stop and start, and kill -9; workloads do not', async () => {
    await start()
    expect(await home.kn(['service', 'create', 'hello', '--image', HELLO_IMAGE])).toMatchObject({ exitCode: 0 })
    const { ports, pid, directory } = await home.status()
    const { marker } = JSON.parse(readFileSync(join(directory, 'instance.json'), 'utf8')) as { marker: string }
    process.kill(pid, 'SIGKILL')
    await until(() => (processesWith(marker).length === 0 ? true : undefined), 5000, 'the end of the workloads')

    expect(await home.kn(['emulator', 'start'])).toMatchObject({ exitCode: 0 })
    expect(await fetchFrom(`http://hello.default.localhost:${ports.external}`)).toMatchObject({ status: 200, body: 'Hello World!\n' })
    expect(await home.kn(['emulator', 'stop'])).toMatchObject({ exitCode: 0 })
    expect(processesWith(marker)).toEqual([])
    expect(await home.kn(['emulator', 'start'])).toMatchObject({ exitCode: 0 })
    expect((await home.kn(['service', 'list', '-o', 'name'])).stdout).toBe('service.serving.knative.dev/hello\n')
  })

  test('reset removes every object and keeps the address', async () => {
    await start()
    await home.kn(['service', 'create', 'hello', '--image', HELLO_IMAGE])
    const { ports } = await home.status()
    expect(await home.kn(['emulator', 'reset'])).toEqual({
      exitCode: 0,
      stdout: "Emulator 'default' reset and started again.\n",
      stderr: '',
    })
    expect((await home.status()).ports).toEqual(ports)
    expect((await home.kn(['service', 'list'])).stdout).toBe('No services found.\n')
  })

  test('ten first commands at once start one emulator', async () => {
    // The ports of a first start are fixed; these make room for whatever else this machine runs.
    await start()
    await home.kn(['emulator', 'stop'])
    const ran = await Promise.all(Array.from({ length: 10 }, () => home.kn(['service', 'list'])))
    for (const { exitCode, stdout } of ran) expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'No services found.\n' })
    expect(ran.filter(({ stderr }) => stderr !== '')).toHaveLength(1)
  })

  test('two instances by name live side by side', async () => {
    await start()
    expect(await home.kn(['emulator', 'start', '--name', 'second'])).toMatchObject({ exitCode: 0 })
    await home.kn(['service', 'create', 'here', '--image', HELLO_IMAGE, '--context', 'kn-emulator-second'])
    expect((await home.kn(['service', 'list', '-o', 'name'])).stdout).toBe('')
    expect((await home.kn(['service', 'list', '-o', 'name', '--context', 'kn-emulator-second'])).stdout).toBe(
      'service.serving.knative.dev/here\n',
    )
    const [first, second] = [await home.status(), await home.status('second')]
    const ports = [...Object.values(first.ports), ...Object.values(second.ports)]
    expect(new Set(ports).size).toBe(ports.length)
  })

  test('logs prints what it did', async () => {
    await start()
    const { exitCode, stdout } = await home.kn(['emulator', 'logs'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain('emulator is ready')
    expect((await home.kn(['emulator', 'logs', '--tail', '1'])).stdout.trim().split('\n')).toHaveLength(1)
  })

  test('exec hands on the exit code and the kubeconfig; an ephemeral one leaves nothing behind', async () => {
    const script =
      'const { readFileSync } = require("node:fs"); console.log(process.env.KUBECONFIG); readFileSync(process.env.KUBECONFIG); process.exit(7)'
    const { exitCode, stdout } = await home.kn(['emulator', 'exec', '--ephemeral', '--', process.execPath, '-e', script])
    expect(exitCode).toBe(7)
    expect(existsSync(stdout.trim())).toBe(false)
    expect(existsSync(join(home.directory, '.kube', 'config'))).toBe(false)
    const missing = await home.kn(['emulator', 'exec', '--ephemeral', '--', 'no-such-program'])
    expect(missing.exitCode).toBe(1)
    expect(missing.stderr).toMatch(/^Error: cannot run 'no-such-program'/)
  })
})

describe('what goes wrong is explained', () => {
  test('a port in use is an error that names the port and its holder', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => holder.once('listening', resolve))
    const { port } = holder.address() as { port: number }
    try {
      const flags = await home.portFlags()
      flags[3] = String(port)
      const { exitCode, stdout, stderr } = await home.kn(['emulator', 'start', ...flags])
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
      expect(stderr).toMatch(
        new RegExp(`Error: cannot start the emulator 'default': port ${port} is in use by .+ \\(pid ${process.pid}\\)\n`),
      )
      expect(stderr).not.toMatch(/\n\s+at /)
    } finally {
      holder.close()
    }
  })

  test('a state directory that cannot be written is an error that names it', async () => {
    const file = join(home.directory, 'a-file')
    writeFileSync(file, '')
    const { exitCode, stderr } = await home.kn(['emulator', 'start'], { env: { XDG_STATE_HOME: file } })
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/^Error: cannot use the state directory .*a-file/m)
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  test('a damaged store refuses to start, names the file, and is left as it is', async () => {
    await start()
    await home.kn(['emulator', 'stop'])
    const { directory } = JSON.parse((await home.kn(['emulator', 'status', '-o', 'json'])).stdout) as { directory: string }
    const path = join(directory, 'store.db')
    const bytes = readFileSync(path)
    bytes.fill(0x55, 4096, 4096 + 2048)
    writeFileSync(path, bytes)
    const { exitCode, stderr } = await home.kn(['emulator', 'start'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('Error: cannot start the emulator')
    expect(stderr).toContain(path)
    expect(stderr).not.toMatch(/\n\s+at /)
    expect(Buffer.compare(readFileSync(path), bytes)).toBe(0)
    expect(await home.kn(['emulator', 'reset'])).toMatchObject({ exitCode: 0 })
    expect(await home.kn(['emulator', 'start'])).toMatchObject({ exitCode: 0 })
  })

  test('a damaged instance.json is an error that names it', async () => {
    await start()
    const { directory } = await home.status()
    await home.kn(['emulator', 'stop'])
    writeFileSync(join(directory, 'instance.json'), '{"format":')
    const { exitCode, stderr } = await home.kn(['emulator', 'start'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`Error: cannot read ${join(directory, 'instance.json')}`)
  })

  test('a lock whose owner died does not keep anyone out', async () => {
    await start()
    const { directory } = await home.status()
    await home.kn(['emulator', 'stop'])
    writeFileSync(join(directory, 'start.lock'), '999999')
    writeFileSync(join(directory, 'running.json'), '{"pid":')
    expect(await home.kn(['emulator', 'start'])).toMatchObject({ exitCode: 0 })
  })

  test('an emulator is never started unasked where CI is set or a kubeconfig was given', async () => {
    const inCi = await home.kn(['service', 'list'], { env: { CI: 'true', KN_EMULATOR: '' } })
    expect(inCi).toMatchObject({ exitCode: 1, stdout: '' })
    expect(inCi.stderr).toContain('Error: no kubeconfig has been provided, please use a valid configuration to connect to the cluster')
    const given = await home.kn(['service', 'list', '--kubeconfig', join(home.directory, 'missing')], { env: { KN_EMULATOR: '' } })
    expect(given).toMatchObject({ exitCode: 1, stdout: '' })
    expect(given.stderr).toContain(`Error: can not find config file: '${join(home.directory, 'missing')}'`)
    const empty = await home.kn(['service', 'list'], { env: { KUBECONFIG: join(home.directory, 'missing'), KN_EMULATOR: '' } })
    expect(empty.exitCode).toBe(1)
    expect(existsSync(join(home.directory, '.local', 'state', 'kn-local'))).toBe(false)
  })

  test('an unreachable cluster is an error, never the emulator', async () => {
    const path = join(home.directory, 'config')
    const cluster = { name: 'c', cluster: { server: 'https://127.0.0.1:1', 'insecure-skip-tls-verify': true } }
    const context = { name: 'c', context: { cluster: 'c', user: 'c' } }
    writeFileSync(
      path,
      JSON.stringify({ 'current-context': 'c', clusters: [cluster], contexts: [context], users: [{ name: 'c', user: {} }] }),
    )
    const { exitCode, stdout, stderr } = await home.kn(['service', 'list', '--kubeconfig', path])
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toBe(
      `Error: Get "https://127.0.0.1:1/apis/serving.knative.dev/v1/namespaces/default/services": dial tcp 127.0.0.1:1: connect: connection refused\nRun 'kn --help' for usage\n`,
    )
  })

  test('a refused token is the server’s own word', async () => {
    await start()
    const { kubeconfig } = await home.status()
    const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
      users: { user: object }[]
      clusters: { cluster: { extensions?: unknown } }[]
    }
    config.users[0]!.user = { token: 'wrong' }
    config.clusters[0]!.cluster.extensions = undefined
    const path = join(home.directory, 'wrong')
    writeFileSync(path, JSON.stringify(config))
    chmodSync(path, 0o600)
    const { exitCode, stderr } = await home.kn(['service', 'list', '--kubeconfig', path])
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/^Error: Unauthorized\n/)
  })

  test('kn from another shell with NODE_OPTIONS set still works', async () => {
    await start()
    const ran = await run('sh', ['-c', `exec "${process.execPath}" "${join(process.cwd(), 'bin', 'run.js')}" service list`], {
      ...home.env,
      NODE_OPTIONS: '--no-warnings',
    })
    expect(ran).toMatchObject({ exitCode: 0, stdout: 'No services found.\n' })
  })
})
