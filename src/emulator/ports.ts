import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'

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

/** Loopback ports that are free now, all different: they are held open together before they are let go. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer()
          server.once('error', reject)
          server.listen(0, LOOPBACK, () => resolve(server))
        }),
    ),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
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
