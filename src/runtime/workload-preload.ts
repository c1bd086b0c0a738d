/**
 * Loaded before a workload's own Node program (`--require`): lets it reach names inside the cluster, which no resolver knows, through
 * the workload proxy, whatever it makes connections with (http, fetch, undici, database drivers): Node's own fetch takes no notice of
 * `http_proxy` in every version that is supported. A connection that is made for such a name is made to the proxy, and says first where
 * it is to lead; what the program sends follows. `*.localhost` is this machine, whether its resolver knows that or not.
 */
import { syncBuiltinESMExports } from 'node:module'
import net, { type NetConnectOpts, Socket } from 'node:net'
import { dirname, join, sep } from 'node:path'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'

/** As in environment.ts; this file is loaded by programs of others and brings nothing along. */
const proxyText = process.env['KN_LOCAL_PROXY'] ?? ''
const LOOPBACK = '127.0.0.1'
const CLUSTER_NAME = /\.svc(?:\.cluster\.local)?\.?$/i
const LOCAL_NAME = /\.localhost\.?$/i

if (URL.canParse(proxyText)) {
  const proxy = new URL(proxyText)
  const credential = Buffer.from(`${proxy.username}:${proxy.password}`).toString('base64')
  const connect = Socket.prototype.connect as (this: Socket, ...args: unknown[]) => Socket

  const patched = function (this: Socket & { encrypted?: boolean }, ...args: unknown[]): Socket {
    // net.connect hands its arguments over as one array, in which options come first.
    const isNormalized = Array.isArray(args[0])
    const [first, second] = isNormalized ? (args[0] as unknown[]) : args
    const options = optionsFrom(first, second)
    const host = options && 'host' in options ? options.host : undefined
    const isInside = host !== undefined && CLUSTER_NAME.test(host) && this.encrypted !== true
    if (!options || host === undefined || !(isInside || LOCAL_NAME.test(host))) return connect.apply(this, args)

    const to = { ...options, host: LOOPBACK, ...(isInside && { port: Number(proxy.port) }) }
    const callback = (isNormalized ? (args[0] as unknown[]) : args).find((each) => typeof each === 'function')
    if (isNormalized) (args[0] as unknown[])[0] = to
    const socket = isNormalized ? connect.apply(this, args) : connect.call(this, to, ...(callback ? [callback] : []))
    if (isInside) {
      const target = `${host}:${'port' in options ? options.port : ''}`
      // Held back until the connection is there, and before anything the program writes.
      socket.write(
        `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nProxy-Authorization: Basic ${credential}\r\nkn-local-silent: 1\r\n\r\n`,
      )
    }
    return socket
  }
  Socket.prototype.connect = patched as typeof Socket.prototype.connect

  // The built-in images speak no TLS, and loading it takes a tenth of their start.
  if (!process.argv[1]?.startsWith(join(dirname(fileURLToPath(import.meta.url)), 'images', sep))) tunnelTls()
}

/** A socket of TLS would encrypt what is said to the proxy: there the way is made first, and TLS is spoken on it. */
function tunnelTls(): void {
  const tls = require('node:tls') as typeof import('node:tls')
  const connectSecurely = tls.connect as (...args: unknown[]) => TLSSocket
  const patchedTls = (...args: unknown[]): TLSSocket => {
    const options = secureOptionsFrom(args)
    const { host, port, socket } = options ?? {}
    if (!options || socket || host === undefined || !CLUSTER_NAME.test(host)) return connectSecurely(...args)
    const callback = args.find((each) => typeof each === 'function')
    const way = net.connect({ host, port: Number(port) })
    return connectSecurely({ ...options, socket: way }, ...(callback ? [callback] : []))
  }
  tls.connect = patchedTls as typeof tls.connect
  // For programs that import it by its name.
  syncBuiltinESMExports()
}

/** Likewise for TLS: options; port, host and options; port and options. */
function secureOptionsFrom([first, ...others]: readonly unknown[]): ConnectionOptions | undefined {
  const options = [first, ...others].find((each) => typeof each === 'object' && each !== null) as ConnectionOptions | undefined
  if (options === first) return options?.path ? undefined : options
  const address = optionsFrom(first, others[0])
  return address && 'host' in address ? { ...options, ...address } : options && { ...options, port: Number(first) }
}

/** The options of one of the forms of connect: options; port and host. Undefined for a path, which is no matter of names. */
function optionsFrom(first: unknown, second: unknown): NetConnectOpts | undefined {
  if (typeof first === 'object' && first !== null) {
    const options = first as NetConnectOpts
    return 'path' in options && options.path ? undefined : options
  }
  const port = Number(first)
  if (first === '' || !Number.isInteger(port) || typeof second !== 'string') return undefined
  return { port, host: second }
}
