import { Agent, createServer, get } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { lineOutput } from '../../../src/apiserver/http/watch-stream.js'

test('watches that follow one another on a kept connection leave nothing on it, and each is whole', async () => {
  const sockets = new Set<Socket>()
  const listeners: number[] = []
  const server = createServer((request, response) => {
    sockets.add(request.socket)
    listeners.push(request.socket.listenerCount('drain'))
    const output = lineOutput(request, response)
    output.open()
    output.onDrain(() => {})
    output.send(['{"a":1}', '{"b":"ü"}'])
    output.send(['{"c":3}'])
    output.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => {
    agent.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  for (let count = 0; count < 15; count++) {
    const text = await new Promise<string>((resolve, reject) => {
      get({ port, host: '127.0.0.1', agent }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (part) => (body += part))
        response.on('end', () => resolve(body))
      }).on('error', reject)
    })
    expect(text).toBe('{"a":1}\n{"b":"ü"}\n{"c":3}\n')
  }
  expect(sockets.size).toBe(1)
  expect(new Set(listeners).size).toBe(1)
})
