import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { Exec, KubeConfig, PortForward, type V1Status } from '@kubernetes/client-node'
import { describe, expect } from 'vitest'
import { createSeededRandom } from '../../src/base/random.js'
import type { Client } from '../../src/client/client.js'
import { podKind } from '../../src/kinds/core/pod/kind.js'
import type { Pod } from '../../src/kinds/core/pod/schema.js'
import { until } from '../support/daemon.js'
import { fetchFrom, HELLO_IMAGE, type Ran, run, type TestEmulator, test } from '../support/emulator.js'
import { findKubectls, findOldestAndNewest, type Kubectl } from '../support/kubectl.js'
import { eventuallyIs } from '../support/objects.js'
import { findPython } from '../support/python.js'

const shell = (script: string, more: object = {}) => ({ name: 'main', image: 'kn.local/shell', command: ['sh', '-c', script], ...more })
const webServer = {
  name: 'web',
  image: HELLO_IMAGE,
  env: [{ name: 'TARGET', value: 'forward' }],
  ports: [{ containerPort: 80 }],
  readinessProbe: { httpGet: { path: '/', port: 80 }, periodSeconds: 1 },
}

/** A Pod whose containers are ready. */
async function startPod(client: Client, name: string, containers: object[]): Promise<Pod> {
  await client.create(podKind, { metadata: { name, namespace: 'default', labels: { app: name } }, spec: { containers } } as never as Pod)
  const isReady = ({ status }: Pod): boolean => status?.containerStatuses?.every(({ ready }) => ready) ?? false
  return eventuallyIs(client, podKind, { namespace: 'default', name }, 10_000, 'ready', isReady)
}

const kubectl = ({ path }: Kubectl, { env }: TestEmulator, args: string[], options: { input?: string; cwd?: string } = {}): Promise<Ran> =>
  run(path, args, env, { timeoutMs: 30_000, ...options })

const digest = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex')

/** `kubectl port-forward` on a free port, until it is stopped. */
async function forwarding({ path }: Kubectl, { env }: TestEmulator, what: string, port: string) {
  const child = spawn(path, ['port-forward', what, `:${port}`], { env })
  let text = ''
  child.stdout.on('data', (bytes) => {
    text += bytes
  })
  child.stderr.on('data', (bytes) => {
    text += bytes
  })
  const local = await until(() => /127\.0\.0\.1:(\d+) ->/.exec(text)?.[1], 10_000, 'the forwarded port')
  return { url: `http://127.0.0.1:${local}/`, text: () => text, stop: () => child.kill() }
}

describe.each(findKubectls())('kubectl $version', (which) => {
  test('exec runs a command beside the container: its environment, both outputs, its exit code, its input', async ({
    client,
    emulator,
  }) => {
    await startPod(client, 'talk', [shell('exec sleep 300', { env: [{ name: 'GREETING', value: 'hello' }] })])
    const said = await kubectl(which, emulator, ['exec', 'talk', '--', 'sh', '-c', 'echo "$GREETING from $HOSTNAME"; echo why >&2; exit 3'])
    expect(said).toMatchObject({ exitCode: 3, stdout: 'hello from talk\n' })
    expect(said.stderr).toMatch(/^why$/m)
    expect(said.stderr).toContain('command terminated with exit code 3')
    expect(await kubectl(which, emulator, ['exec', 'talk', '-c', 'main', '--', 'true'])).toEqual({ exitCode: 0, stdout: '', stderr: '' })

    const input = randomBytes(750_000).toString('base64')
    const echoed = await kubectl(which, emulator, ['exec', '-i', 'talk', '--', 'sh', '-c', 'cat; echo done >&2'], { input })
    expect({ ...echoed, stdout: digest(echoed.stdout) }).toEqual({ exitCode: 0, stdout: digest(input), stderr: 'done\n' })
  })

  test('exec says why there is nothing to run', async ({ client, emulator }) => {
    await startPod(client, 'plain', [shell('exec sleep 300')])
    const missing = await kubectl(which, emulator, ['exec', 'plain', '--', 'no-such-program'])
    expect(missing.exitCode).toBe(1)
    expect(missing.stderr).toContain('exec: "no-such-program": executable file not found in $PATH')
    const container = await kubectl(which, emulator, ['exec', 'plain', '-c', 'other', '--', 'true'])
    expect(container.exitCode).toBe(1)
    expect(container.stderr).toContain('container other is not valid for pod plain')
    const pod = await kubectl(which, emulator, ['exec', 'nobody', '--', 'true'])
    expect(pod).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('pods "nobody" not found') })
  })

  test('port-forward leads to a port of the Pod, many connections at once, and to no other port of this machine', async ({
    client,
    emulator,
  }) => {
    await startPod(client, 'web', [webServer])
    const own = createServer((socket) => socket.end('not for you'))
    await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve))
    const { port } = own.address() as { port: number }
    const web = await forwarding(which, emulator, 'pod/web', '80')
    const elsewhere = await forwarding(which, emulator, 'pod/web', String(port))
    try {
      const answers = await Promise.all(Array.from({ length: 20 }, () => fetchFrom(web.url)))
      expect(answers.map(({ body }) => body)).toEqual(Array.from({ length: 20 }, () => 'Hello forward!\n'))
      await expect(fetchFrom(elsewhere.url)).rejects.toThrow()
      await until(() => elsewhere.text().includes('connection refused') || undefined, 10_000, 'the reason')
      expect((await fetchFrom(web.url)).status).toBe(200)
    } finally {
      web.stop()
      elsewhere.stop()
      own.close()
    }
  })
})

describe.each(findOldestAndNewest())('kubectl $version', (which) => {
  test('cp copies there and back', async ({ client, emulator }) => {
    await startPod(client, 'store', [shell('exec sleep 300')])
    const content = randomBytes(300_000)
    const cwd = emulator.directory
    writeFileSync(join(cwd, 'sent.bin'), content)
    expect(await kubectl(which, emulator, ['cp', 'sent.bin', 'store:kept.bin'], { cwd })).toMatchObject({ exitCode: 0 })
    const size = await kubectl(which, emulator, ['exec', 'store', '--', 'wc', '-c', 'kept.bin'])
    expect(size.stdout).toBe('300000 kept.bin\n')
    expect(await kubectl(which, emulator, ['cp', 'store:kept.bin', 'back.bin'], { cwd })).toMatchObject({ exitCode: 0 })
    expect(digest(readFileSync(join(cwd, 'back.bin')))).toBe(digest(content))
  })

  test('run -i gives a program its input, shows both its outputs, and ends with its exit code', async ({ emulator }) => {
    const flags = ['--image=kn.local/shell', '-i', '--rm', '--restart=Never', '--command', '--']
    // It waits, so that the client is there before anything is said.
    const script = 'read line; echo "got $line"; echo why >&2; cat | wc -c; exit 3'
    const ran = await kubectl(which, emulator, ['run', 'short', ...flags, 'sh', '-c', script], { input: `first\n${'x'.repeat(500_000)}` })
    expect(ran).toMatchObject({ exitCode: 3, stdout: expect.stringMatching(/^got first\n500000\n/) })
    expect(ran.stderr).toContain('why\n')
    expect(await kubectl(which, emulator, ['get', 'pods', '-o', 'name'])).toMatchObject({ stdout: '' })
  })

  test('attach shows what the container writes, until it ends', async ({ client, emulator }) => {
    await startPod(client, 'clock', [
      shell('echo early; mkfifo p; while :; do read x < p || continue; echo "heard $x"; test "$x" = end && exit 0; done'),
    ])
    const attached = spawn(which.path, ['attach', 'clock'], { env: emulator.env })
    let text = ''
    attached.stdout.on('data', (bytes) => {
      text += bytes
    })
    const ended = new Promise<number | null>((resolve) => void attached.once('close', resolve))
    const tell = (word: string): Promise<Ran> => kubectl(which, emulator, ['exec', 'clock', '--', 'sh', '-c', `echo ${word} > p`])
    // Again and again: what comes before the client is there is not for it.
    const isHeard = async (): Promise<true | undefined> => {
      await tell('you')
      return text.includes('heard you') || undefined
    }
    await until(isHeard, 10_000, 'the first line')
    await tell('end')
    expect(await ended).toBe(0)
    expect(text).not.toContain('early')
    expect(text).toMatch(/heard end\n$/)
  })
})

function configOf({ kubeconfig }: TestEmulator): KubeConfig {
  const config = new KubeConfig()
  config.loadFromFile(kubeconfig)
  return config
}

/** What was written to it, as text. */
function collector() {
  let text = ''
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk
      done()
    },
  })
  return { stream, text: () => text }
}

describe('@kubernetes/client-node', () => {
  test('exec with a terminal: of the size that the client says, and with one output', async ({ client, emulator }) => {
    await startPod(client, 'screen', [shell('exec sleep 300')])
    const output = collector()
    const input = new PassThrough()
    const status = new Promise<V1Status>((resolve, reject) => {
      const exec = new Exec(configOf(emulator))
      const stdout = Object.assign(output.stream, { rows: 33, columns: 111 })
      exec.exec('default', 'screen', 'main', ['sh', '-i'], stdout, null, input, true, resolve).catch(reject)
    })
    input.write('stty size; test -t 0 && test -t 1 && echo "is a termi""nal"\n')
    await until(() => output.text().includes('is a terminal') || undefined, 10_000, 'the terminal')
    await until(
      async () => {
        input.write('stty size\n')
        await new Promise((resolve) => setTimeout(resolve, 100))
        return output.text().includes('33 111') || undefined
      },
      10_000,
      'the size of the terminal',
    )
    input.write('exit 4\n')
    expect(await status).toMatchObject({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '4' }] },
    })
  })

  test('port-forward by channels', async ({ client, emulator }) => {
    await startPod(client, 'web', [webServer])
    const forward = new PortForward(configOf(emulator))
    const server = createServer((socket) => void forward.portForward('default', 'web', [80], socket, null, socket))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    try {
      expect((await fetchFrom(`http://127.0.0.1:${port}/`)).body).toBe('Hello forward!\n')
    } finally {
      server.close()
    }
  })

  test('a client that goes away takes its command with it', async ({ client, emulator }) => {
    await startPod(client, 'left', [shell('exec sleep 300')])
    const output = collector()
    const socket = await new Exec(configOf(emulator)).exec(
      'default',
      'left',
      'main',
      ['sh', '-c', 'echo $$; exec sleep 300'],
      output.stream,
      null,
      null,
      false,
    )
    const pid = Number(await until(() => /^(\d+)\n/.exec(output.text())?.[1], 10_000, 'the process'))
    expect(() => process.kill(pid, 0)).not.toThrow()
    socket.close()
    const isGone = (): true | undefined => {
      try {
        process.kill(pid, 0)
        return undefined
      } catch {
        return true
      }
    }
    await until(isGone, 10_000, 'the end of the process')
  })
})

test.skipIf(!findPython())("Python's client runs commands", async ({ client, emulator }) => {
  await startPod(client, 'snake', [shell('exec sleep 300')])
  const script = `
import sys
from kubernetes import client, config
from kubernetes.stream import stream
config.load_kube_config()
api = client.CoreV1Api()
answer = stream(api.connect_get_namespaced_pod_exec, 'snake', 'default', command=['sh', '-c', 'read line; echo "got $line"; echo bad >&2; exit 5'],
                stderr=True, stdin=True, stdout=True, tty=False, _preload_content=False)
answer.write_stdin('a line\\n')
answer.run_forever(timeout=20)
print(answer.read_stdout(), answer.read_stderr(), answer.returncode)
`
  const python = findPython()!
  const ran = await run(python.path, ['-c', script], { ...emulator.env, ...python.env })
  expect(ran).toMatchObject({ exitCode: 0, stdout: 'got a line\n bad\n 5\n' })
})

test('who may not create pods/exec may not get it either, and a request without an upgrade is refused', async ({ client, emulator }) => {
  await startPod(client, 'locked', [shell('exec sleep 300')])
  const { path } = findKubectls().at(-1)!
  const plain = await run(path, ['get', '--raw', '/api/v1/namespaces/default/pods/locked/exec?command=true&stdout=true'], emulator.env)
  expect(plain).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('Upgrade request required') })
  const reader = ['create', 'role', 'reader', '--verb=get', '--resource=pods,pods/exec,pods/portforward']
  await run(path, reader, emulator.env)
  await run(path, ['create', 'rolebinding', 'reader', '--role=reader', '--user=jane'], emulator.env)
  const refused = await run(path, ['exec', '--as=jane', 'locked', '--', 'true'], emulator.env)
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toContain('User "jane" cannot create resource "pods/exec" in API group "" in the namespace "default"')
})

/** A handshake's connection and what came behind its answer, or undefined when it was refused. */
function upgraded(
  { ports, token }: TestEmulator,
  path: string,
  method: string,
  headers: Record<string, string>,
): Promise<Socket | undefined> {
  const asked = { host: '127.0.0.1', port: ports.control, rejectUnauthorized: false, agent: false, method, path }
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...asked, headers: { ...headers, Connection: 'Upgrade', Authorization: `Bearer ${token}` } })
    outgoing.on('upgrade', (_response, socket) => resolve(socket))
    outgoing.on('response', (response) => {
      response.resume()
      resolve(undefined)
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

test('whatever a client says behind its handshake, others are served on, and no command is left over', async ({ client, emulator }) => {
  await startPod(client, 'firm', [shell('exec sleep 300'), { ...webServer, readinessProbe: undefined }])
  const seed = Number(process.env['KN_FUZZ_SEED'] ?? 20_261_122)
  const random = createSeededRandom(seed)
  const spdy = { Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': 'v4.channel.k8s.io' }
  const webSocket = (protocol: string) => ({
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol': protocol,
  })
  const exec = 'exec?container=main&command=sleep&command=4711&stdin=true&stdout=true&stderr=true'
  const asked = [
    ['POST', exec, spdy],
    ['GET', exec, webSocket('v5.channel.k8s.io')],
    ['GET', `${exec}&tty=true`, webSocket('v4.base64.channel.k8s.io')],
    ['POST', 'portforward', { ...spdy, 'X-Stream-Protocol-Version': 'portforward.k8s.io' }],
    ['GET', 'portforward', webSocket('SPDY/3.1+portforward.k8s.io')],
    ['GET', 'portforward?ports=80,81', webSocket('v4.channel.k8s.io')],
    ['GET', 'attach?container=main&stdin=true&stdout=true', webSocket('v5.channel.k8s.io')],
  ] as const
  // Beginnings of what would be valid, so that more than the first byte is looked at.
  const beginnings = [
    '',
    '80030001',
    '8003000100000040',
    '800300010000001600000001000000000000',
    '0000000100000010',
    '8281',
    '82fe',
    '88',
    '8980',
    '8003000600000004',
  ]
  for (let round = 0; round < 140; round++) {
    const [method, subresource, headers] = asked[round % asked.length]!
    const socket = await upgraded(emulator, `/api/v1/namespaces/default/pods/firm/${subresource}`, method, headers)
    if (!socket) throw new Error(`round ${round} of seed ${seed} was refused`)
    socket.on('error', () => {})
    const beginning = Buffer.from(beginnings[Math.floor(random.float() * beginnings.length)]!, 'hex')
    socket.write(Buffer.concat([beginning, random.bytes(Math.floor(random.float() * 200))]))
    if (random.float() < 0.5) socket.end()
    else setTimeout(() => socket.destroy(), 5)
  }
  const { path } = findKubectls().at(-1)!
  expect(await run(path, ['exec', 'firm', '-c', 'main', '--', 'echo', 'still here'], emulator.env)).toMatchObject({
    stdout: 'still here\n',
  })
  const left = async (): Promise<string> => (await run('pgrep', ['-f', '^sleep 4711'], emulator.env)).stdout
  await until(async () => (await left()) === '' || undefined, 10_000, `the end of all commands (seed ${seed})`)
})

test('a connection that breaks off in the middle of everything ends nothing else', async ({ client, emulator }) => {
  await startPod(client, 'firm', [shell('exec sleep 300')])
  const { control } = emulator.ports
  const halves = Array.from({ length: 20 }, (_, index) => {
    const socket = connect(control, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(randomBytes(index * 10))
    return socket
  })
  for (const socket of halves) socket.destroy()
  const { path } = findKubectls().at(-1)!
  expect(await run(path, ['exec', 'firm', '--', 'echo', 'still here'], emulator.env)).toMatchObject({ exitCode: 0, stdout: 'still here\n' })
})
