import type { IncomingMessage, ServerResponse } from 'node:http'
import { refusals, StatusError } from '../../../../src/apimachinery/status-error.js'
import { refuse } from '../../../../src/apiserver/http/send.js'
import { acceptUpgrades, upgradeOf } from '../../../../src/apiserver/http/upgrades.js'
import { type FindProxyTarget, type ProxyTarget, proxyPathFrom, proxyRequest } from '../../../../src/apiserver/streams/proxy.js'
import { type Answer, ask, bodyOf, startApp } from '../../gateway/support.js'

type Asked = Parameters<FindProxyTarget>[0]

export const WEB = '/api/v1/namespaces/shop/services/web/proxy'
export const HANDSHAKE = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'

/** An API server that only proxies, and for which every name leads to one target. */
export async function aProxy(
  target: Partial<ProxyTarget>,
  find: FindProxyTarget = () => ({ scheme: 'http', host: '127.0.0.1', port: 1, ...target }),
) {
  const asked: Asked[] = []
  /** One for each request that is over. */
  const over: string[] = []
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    incoming.on('error', () => {})
    response.on('error', () => {})
    response.setHeader('Audit-Id', '1')
    response.setHeader('Cache-Control', 'no-cache, private')
    try {
      const path = proxyPathFrom(incoming.url!.split('?', 1)[0]!)
      if (!path) throw refusals.noSuchResource()
      const spied: FindProxyTarget = (which) => {
        asked.push(which)
        return find(which)
      }
      await proxyRequest({ request: incoming, response, path, find: spied, early: upgradeOf(incoming) })
    } catch (error) {
      refuse(response, error instanceof StatusError ? error.status : refusals.internal(String(error)).status)
    }
    over.push(`${incoming.method} ${response.statusCode}`)
  }
  const { port, server } = await startApp((incoming, response) => void handle(incoming, response))
  acceptUpgrades(server, (incoming, response) => void handle(incoming, response))
  // As the API server's own listeners: without it, Node ends by itself what tests are about.
  Object.assign(server, { httpAllowHalfOpen: true })
  const get = (path: string, headers?: Record<string, string>): Promise<Answer> => ask(port, 'api.test', path, headers)
  return { port, asked, over, get }
}

/** A program that says back what reached it. */
export const anEcho = () =>
  startApp(async (incoming, response) => {
    const body = await bodyOf(incoming)
    response.end(JSON.stringify({ method: incoming.method, url: incoming.url, headers: incoming.headers, body }))
  })
export const said = ({ body }: Answer): { method: string; url: string; headers: Record<string, string>; body: string } => JSON.parse(body)
export const messageOf = ({ body }: Answer): string => JSON.parse(body).message
