import { writeSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createSystemClock } from '../base/clock.js'

/** What the built-in programs share. They are started often, so it loads nothing but the HTTP server. */

/** The port the runtime gave, or 8080. */
export function portFromEnvironment(env: NodeJS.ProcessEnv = process.env): number {
  return Number(env['PORT'] || 8080)
}

/**
 * Serves on the loopback port until SIGTERM: then no new connection is taken, what is being answered is finished, and the process ends
 * with 0. Before it listens, SIGTERM ends it at once. As with Go's server, connections may be idle for any time.
 */
export function serve(
  handle: RequestListener,
  { port = portFromEnvironment(), delayMs = 0 }: { port?: number; delayMs?: number } = {},
): void {
  let ending = false
  const server = createServer((request, response) => {
    if (ending) response.shouldKeepAlive = false
    // The connection counts as idle only a moment later.
    response.once('close', () => ending && setImmediate(() => server.closeIdleConnections()))
    handle(request, response)
  })
  server.keepAliveTimeout = 0
  server.requestTimeout = 0
  server.on('error', (error) => {
    print('stderr', error.message)
    process.exit(1)
  })
  process.once('SIGTERM', () => {
    if (!server.listening) process.exit(0)
    ending = true
    server.close(() => process.exit(0))
    server.closeIdleConnections()
  })
  const listen = (): void => void server.listen(port, '127.0.0.1')
  if (delayMs > 0) createSystemClock().after(delayMs, listen)
  else listen()
}

/** A line to the log. */
export function print(stream: 'stdout' | 'stderr', line: string): void {
  printBytes(stream, Buffer.from(`${line}\n`))
}

/** Bytes to the log. Written at once and without loading Node's streams; a reader that has gone is none of a sample's business. */
export function printBytes(stream: 'stdout' | 'stderr', bytes: Buffer): void {
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(stream === 'stdout' ? 1 : 2, bytes, at)
  } catch {
    // See above.
  }
}

/** A line as Go's log package writes it: `2026/01/02 15:04:05 text`, in UTC as in a container, on stderr. */
export function printAsGo(line: string): void {
  const time = new Date(createSystemClock().now()).toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ')
  print('stderr', `${time} ${line}`)
}

/** Text with the type that Go's server would find out. */
export function answerText(response: ServerResponse, text: string, status = 200): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': Buffer.byteLength(text) })
  response.end(text)
}

/** The whole body of a request; rejects when the client goes away. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part)
  return Buffer.concat(parts)
}
