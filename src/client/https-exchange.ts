import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { Clock } from '../base/clock.js'
import type { Exchange, ResponseHeaders } from './exchange.js'
import { certificatesOf, isPlainlyTrusted } from './tls-verification.js'

export interface TlsSettings {
  /** PEM; absent: the certificates that Node trusts. */
  ca?: string
  cert?: string
  key?: string
  /** The name the server's certificate must bear, when it is not the host's. */
  serverName?: string
  insecure?: boolean
}

export interface HttpsExchangeOptions {
  /** `https://host:port/prefix`, or http. */
  server: string
  tls: TlsSettings
  clock: Pick<Clock, 'now'>
  /** What another way of authenticating (client-node.ts) puts into each request: an agent that goes through a proxy. */
  requestOptions?: RequestOptions
}

/** Requests to a server over HTTPS (or plain HTTP), on connections that are kept between calls. Its `host` header and port follow from the server. */
export function createHttpsExchange(options: HttpsExchangeOptions): Exchange {
  const url = new URL(options.server)
  const isTls = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port || (isTls ? '443' : '80')
  const agent = options.requestOptions?.agent ?? (isTls ? createTlsAgent(options, host) : new HttpAgent({ keepAlive: true }))

  return ({ method, path, headers, body }, receiver) => {
    let isOver = false
    const finish = (error?: Error): void => {
      if (isOver) return
      isOver = true
      receiver.end(error)
    }
    const request = (isTls ? httpsRequest : httpRequest)(
      {
        ...options.requestOptions,
        host,
        port,
        method,
        path,
        headers: { ...headers, ...(body && { 'Content-Length': body.length }) },
        agent,
      },
      (response) => {
        if (isOver) return
        receiver.head(response.statusCode!, headersOf(response))
        response.on('data', (chunk: Buffer) => isOver || receiver.data(chunk))
        response.on('end', () => finish())
        response.on('error', finish)
        response.on('close', () => finish(new Error('unexpected EOF')))
      },
    )
    request.on('error', finish)
    request.end(body)
    return () => {
      isOver = true
      request.destroy()
    }
  }
}

/** What Node documents of its agents and their types leave out. */
type ConnectingAgent = Agent & {
  createConnection(options: ConnectionOptions, done?: (error: Error | null, socket?: TLSSocket) => void): TLSSocket | undefined
}

/** From here on Node parses its own roots only when they are needed (nodejs/node#56301). */
const LAZY_ROOTS_SINCE = 22

function createTlsAgent({ tls, clock }: HttpsExchangeOptions, host: string): Agent {
  const { ca, cert, key, insecure, serverName } = tls
  const name = serverName || host
  const settings: ConnectionOptions = {
    // Where nothing is judged, no root certificate needs to be read either.
    ...(insecure ? { ca: [] } : ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    // Said even where there is none (an address), or Node takes it from the Host header.
    servername: isIP(name) ? '' : name,
    ...(serverName && { checkServerIdentity: identityChecker(serverName) }),
    rejectUnauthorized: !insecure,
    ALPNProtocols: ['http/1.1'],
  }
  const agent = new Agent({ ...settings, keepAlive: true }) as ConnectingAgent
  if (!ca || insecure || Number(process.versions.node.split('.')[0]) >= LAZY_ROOTS_SINCE) return agent

  const roots = certificatesOf(ca)
  const openFully = agent.createConnection.bind(agent)
  agent.createConnection = (options, done = () => {}) => {
    // No CA at all, so that none has to be parsed: nothing is sent before this connection has been judged here.
    const socket = connect({ ...options, ...settings, ca: [], rejectUnauthorized: false })
    socket.once('error', done)
    socket.once('secureConnect', () => {
      socket.removeListener('error', done)
      // To be asked for once only: Node takes the certificate out of the connection.
      if (isPlainlyTrusted(socket.getPeerX509Certificate(), roots, name, clock.now())) return done(null, socket)
      socket.destroy()
      done(null, openFully(options))
    })
    return undefined
  }
  return agent
}

function identityChecker(serverName: string): ConnectionOptions['checkServerIdentity'] {
  return (_, certificate) =>
    (process.getBuiltinModule('node:tls') as typeof import('node:tls')).checkServerIdentity(serverName, certificate)
}

function headersOf(response: IncomingMessage): ResponseHeaders {
  return response.headersDistinct as ResponseHeaders
}
