import { createServer, type Server } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createVirtualClock } from '../../../src/base/clock.js'
import type { CoreService } from '../../../src/kinds/core/service/schema.js'
import { testPorts } from '../../support/ports.js'
import { aCoreService, aPlainPod, aSlice, ask, endpointOf, rawClient, startApp, startTcpApp, startTestGateway, turns } from './support.js'

const freePort = async (): Promise<number> => (await testPorts(1))[0]!

const nodePortService = (nodePort: number, more: Partial<CoreService['spec']> = {}): CoreService =>
  aCoreService('web', { type: 'NodePort', ports: [{ port: 80, nodePort }], ...more })

async function aGateway(appPorts: readonly number[], options: Parameters<typeof startTestGateway>[0] = {}) {
  const gateway = await startTestGateway(options)
  const pods = appPorts.map((port, index) => aPlainPod(`web-${index}`, `10.244.0.${index + 2}`, { 80: port }))
  for (const pod of pods) gateway.informers.pods.put(pod)
  const endpoints = pods.map((pod) => endpointOf(pod))
  gateway.informers.slices.put(aSlice('web', [{ name: '', port: 80 }], endpoints))
  return gateway
}

/** Whether someone takes a connection on this port. */
async function isOpen(port: number): Promise<boolean> {
  const { socket, closed } = rawClient(port)
  return Promise.race([new Promise<true>((resolve) => socket.once('connect', () => resolve(true))), closed.then(() => false)])
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await turns(1)
}

async function holding(port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return server
}

test('a node port passes bytes on both ways, whatever they are, and each side ends by itself', async () => {
  const port = await startTcpApp((socket) => {
    socket.write('hello from the server first\n')
    let received = ''
    socket.on('data', (bytes) => {
      received += bytes
    })
    socket.on('end', () => socket.end(`got ${received}`))
  })
  const nodePort = await freePort()
  const gateway = await aGateway([port])
  gateway.informers.services.put(nodePortService(nodePort))
  await until(() => isOpen(nodePort))
  const client = rawClient(nodePort)
  await client.until(/server first\n/)
  client.send('\x00\xff bytes')
  client.socket.end()
  expect(await client.closed).toMatch(/got .* bytes$/s)
})

test('a node port opens, moves and closes with its Service; what is connected stays so', async () => {
  const { port } = await startApp((_request, response) => response.end('web'))
  const echo = await startTcpApp((socket) => void socket.pipe(socket))
  const [first, second, third] = (await testPorts(3)) as [number, number, number]
  const gateway = await aGateway([port])
  const { services, slices, pods } = gateway.informers
  services.put(nodePortService(first))
  await until(() => isOpen(first))
  expect(await ask(first, 'any.example')).toMatchObject({ status: 200, body: 'web' })

  services.put(nodePortService(second))
  await until(() => isOpen(second))
  expect(await isOpen(first)).toBe(false)
  expect(await ask(second, 'any.example')).toMatchObject({ status: 200, body: 'web' })

  services.put(
    nodePortService(second, {
      type: 'LoadBalancer',
      ports: [
        { port: 80, nodePort: second },
        { name: 'x', port: 81, nodePort: third },
      ],
    }),
  )
  pods.put(aPlainPod('web-9', '10.244.0.9', { 81: echo }))
  slices.put(aSlice('web', [{ name: 'x', port: 81 }], [endpointOf(pods.get({ namespace: 'default', name: 'web-9' })!)]))
  await until(() => isOpen(third))
  const connected = rawClient(third, 'before')
  await connected.until(/before/)
  services.remove(services.get({ namespace: 'default', name: 'web' })!)
  await until(async () => !(await isOpen(third)))
  expect(await isOpen(second)).toBe(false)
  connected.send(', after')
  await connected.until(/before, after/)
})

test('a type that is reached inside only, and a port that carries no TCP, open nothing', async () => {
  const [first, second] = (await testPorts(2)) as [number, number]
  const gateway = await aGateway([])
  gateway.informers.services.put(nodePortService(first, { type: 'ClusterIP' }))
  gateway.informers.services.put(aCoreService('dns', { type: 'NodePort', ports: [{ port: 53, protocol: 'UDP', nodePort: second }] }))
  await turns(50)
  expect([await isOpen(first), await isOpen(second)]).toEqual([false, false])
})

test('connections are spread over the ready endpoints; one that does not answer is passed over; without any they are broken off', async () => {
  const names = ['one', 'two']
  const ports = await Promise.all(names.map((name) => startTcpApp((socket) => socket.end(name))))
  const nodePort = await freePort()
  const gateway = await aGateway([...ports, await freePort()])
  gateway.informers.services.put(nodePortService(nodePort))
  await until(() => isOpen(nodePort))
  const seen = new Set<string>()
  for (let connection = 0; connection < 40; connection++) seen.add(await rawClient(nodePort).closed)
  expect(seen).toEqual(new Set(names))
  gateway.informers.slices.put(aSlice('web', [{ name: '', port: 80 }], []))
  expect(await rawClient(nodePort, 'anyone?').closed).toBe('')
})

test('a port that someone else has is told of once, and taken as soon as it is free', async () => {
  const { port } = await startApp((_request, response) => response.end('web'))
  const clock = createVirtualClock()
  const reports: string[] = []
  const nodePort = await freePort()
  const holder = await holding(nodePort)
  const gateway = await aGateway([port], {
    clock,
    onNodePortTaken: ({ metadata }, taken, error) => {
      reports.push(`${metadata.name} ${taken === nodePort} ${(error as NodeJS.ErrnoException).code}`)
    },
  })
  gateway.informers.services.put(nodePortService(nodePort))
  await until(() => reports.length > 0)
  await clock.advance(30_000)
  await turns(50)
  expect(reports).toEqual(['web true EADDRINUSE'])
  await new Promise((resolve) => holder.close(resolve))
  await clock.advance(10_000)
  await until(() => isOpen(nodePort))
  expect(await ask(nodePort, 'any.example')).toMatchObject({ status: 200, body: 'web' })
})

test('a Service that goes away while its port is taken never gets it', async () => {
  const clock = createVirtualClock()
  const nodePort = await freePort()
  const holder = await holding(nodePort)
  let reports = 0
  const gateway = await aGateway([], { clock, onNodePortTaken: () => void reports++ })
  const web = nodePortService(nodePort)
  gateway.informers.services.put(web)
  await until(() => reports > 0)
  gateway.informers.services.remove(web)
  await new Promise((resolve) => holder.close(resolve))
  await clock.advance(60_000)
  await turns(50)
  expect(await isOpen(nodePort)).toBe(false)
})
