import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { createSystemRandom } from '../base/random.js'

export interface Ports {
  control: number
  external: number
  clusterLocal: number
  /** Eventing with TLS: listened on from when transport-encryption is first asked for. */
  clusterLocalTls: number
}

/** Of the instance `default`: documented, and embedded in URLs that people keep. */
export const DEFAULT_PORTS: Ports = { control: 19443, external: 19080, clusterLocal: 19081, clusterLocalTls: 19444 }

const LOOPBACK = '127.0.0.1'

/** Whether a loopback port can be listened on now. */
export function isPortFree(port: number, host = LOOPBACK): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** Where ports are looked for, and at which of them that begins. */
export interface PortRange {
  first: number
  size: number
  from: number
}

/**
 * Instances keep their ports, so they get none that Linux or macOS takes for outgoing connections: one of those would be in the way of a
 * later start. Those of workloads (src/runtime/loopback-ports.ts) lie below, Kubernetes' node ports above.
 */
const FIRST_PORT = 27_000
const PORTS = 3000

/** Loopback ports that are free now, all different: they are held open together before they are let go. Rejects when there are not so many. */
export async function freePorts(count: number, range: PortRange = somewhere()): Promise<number[]> {
  const { first, size, from } = range
  const held: Server[] = []
  try {
    for (let step = 0; step < size && held.length < count; step++) {
      const server = await listening(first + ((from - first + step) % size))
      if (server) held.push(server)
    }
    if (held.length < count) throw new Error(`no ${count} free loopback ports between ${first} and ${first + size - 1}`)
    return held.map((server) => (server.address() as AddressInfo).port)
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}

function somewhere(): PortRange {
  return { first: FIRST_PORT, size: PORTS, from: FIRST_PORT + Math.floor(createSystemRandom().float() * PORTS) }
}

function listening(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => resolve(server))
  })
}

/** Who listens on a TCP port: `nginx (pid 812)`, as far as this user may see it; undefined when nothing can be found out. */
export async function portHolder(port: number): Promise<string | undefined> {
  return process.platform === 'linux' ? holderFromProc(port) : holderFromLsof(port)
}

const LISTENING = '0A'

function holderFromProc(port: number): string | undefined {
  const inodes = new Set<string>()
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readLines(table).slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
      if (state === LISTENING && inode && Number.parseInt(local?.split(':')[1] ?? '', 16) === port) inodes.add(`socket:[${inode}]`)
    }
  }
  if (inodes.size === 0) return undefined
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        if (!inodes.has(linkAt(`/proc/${pid}/fd/${fd}`))) continue
        return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (pid ${pid})`
      }
    } catch {
      // Another user's process, or one that has just ended.
    }
  }
  return undefined
}

/** '' where nothing is any more: files are closed while we look, and the listing itself is one. */
function linkAt(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').trim().split('\n')
  } catch {
    return []
  }
}

function holderFromLsof(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], (_error, stdout) => {
      const pid = /^p(\d+)/m.exec(stdout)?.[1]
      const command = /^c(.+)/m.exec(stdout)?.[1]
      resolve(pid ? `${command ?? 'a process'} (pid ${pid})` : undefined)
    })
  })
}
