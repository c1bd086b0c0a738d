import { generateKeyPairSync } from 'node:crypto'
import { createRequire } from 'node:module'
import type { Clock, ClockMode } from '../base/clock.js'
import { makePrivateDirectory, readFileIfExists, writeFileAtomically } from '../base/files.js'
import { type Random, uuid } from '../base/random.js'
import { UserError } from '../base/user-error.js'
import { type EmulatorAccess, kubeconfigFor } from './access.js'
import type { InstanceCertificates } from './certificates.js'
import { contextName, DEFAULT_INSTANCE, type InstancePaths } from './paths.js'
import { DEFAULT_PORTS, freePorts, type Ports } from './ports.js'
import { programFile } from './programs.js'

/** What an instance is, for its whole life: where it listens and who may speak to it. In instance.json, readable by its owner only. */
export interface InstanceRecord {
  format: 1
  name: string
  ports: Ports
  /** Bearer token of the administrator. */
  token: string
  /** In the environment of every workload, so that none outlives the emulator unseen. */
  marker: string
  certificates: InstanceCertificates
  /** Signs the tokens of ServiceAccounts: P-256, PKCS #8 in PEM. Absent until an emulator runs that knows of it. */
  serviceAccountKey?: string
  /** How its clock begins where nothing is stored yet; absent: real. Later the stored Clock says how it was left. */
  clock?: ClockChoice
}

/** `--clock`: follows the machine's clock, or begins frozen at the present time. */
export type ClockChoice = 'real' | 'virtual'

export const CLOCK_MODES = { real: 'Real', virtual: 'Frozen' } as const satisfies Record<ClockChoice, ClockMode>

/** What is true while an emulator runs; in running.json. */
export interface RunningRecord {
  pid: number
  version: string
  startedAtMs: number
}

const RECORD_FORMAT = 1
const TOKEN_BYTES = 32

/** Reads an instance's record; undefined when the instance does not exist. Throws a UserError when it is unreadable or from a newer kn. */
export function readRecord(paths: InstancePaths): InstanceRecord | undefined {
  const text = accessing(paths, () => readFileIfExists(paths.record))
  if (text === undefined) return undefined
  const record = parsed(text) as Partial<InstanceRecord> | undefined
  if (record?.format !== undefined && (record.format as number) > RECORD_FORMAT) {
    throw new UserError({
      code: 'state-newer',
      what: `the emulator's state in ${paths.directory} was written by a newer kn`,
      why: `it has format ${String(record.format)}, this kn reads ${RECORD_FORMAT}`,
      remedies: ['use the newer kn', 'kn emulator delete'],
    })
  }
  if (!record?.ports || !record.certificates || !record.token || !record.marker) {
    throw new UserError({
      code: 'state-corrupt',
      what: `cannot read ${paths.record}`,
      why: 'it is damaged; nothing was changed',
      remedies: ['restore the file from a backup', 'kn emulator delete'],
    })
  }
  return record as InstanceRecord
}

/** Makes an instance: ports, credentials, certificates. Written whole, so an interrupted first start leaves no half of it. */
export async function createRecord(options: {
  name: string
  paths: InstancePaths
  ports: Partial<Ports>
  clockChoice?: ClockChoice | undefined
  random: Random
  clock: Clock
}): Promise<InstanceRecord> {
  const { name, paths, random, clock } = options
  accessing(paths, () => makePrivateDirectory(paths.directory))
  // Loaded only here: an instance gets its certificates once, and every later start is faster without the library.
  const { createCertificates } = createRequire(import.meta.url)(programFile('certificates.cjs')) as typeof import('./certificates.js')
  const record: InstanceRecord = {
    format: RECORD_FORMAT,
    name,
    ports: { ...(await firstPorts(name)), ...options.ports },
    token: random.bytes(TOKEN_BYTES).toString('base64url'),
    marker: uuid(random),
    certificates: await createCertificates({ instance: name, nowMs: clock.now() }),
    ...(options.clockChoice && { clock: options.clockChoice }),
  }
  accessing(paths, () => {
    writeFileAtomically(paths.kubeconfig, kubeconfigFor(accessTo(record, paths)))
    writeRecord(record, paths)
  })
  return record
}

/** Notes how the clock of an instance that does not run is to begin from now on. Returns the record as it is then. */
export function recordClock(record: InstanceRecord, paths: InstancePaths, clock: ClockChoice): InstanceRecord {
  if ((record.clock ?? 'real') === clock) return record
  const next = { ...record, clock }
  accessing(paths, () => writeRecord(next, paths))
  return next
}

function writeRecord(record: InstanceRecord, paths: InstancePaths): void {
  writeFileAtomically(paths.record, `${JSON.stringify(record, null, 2)}\n`)
}

/** The key that signs tokens of ServiceAccounts; made when it is first asked for, and kept with the instance. */
export function serviceAccountKeyOf(record: InstanceRecord, paths: InstancePaths): string {
  if (record.serviceAccountKey) return record.serviceAccountKey
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const serviceAccountKey = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  accessing(paths, () => writeRecord({ ...record, serviceAccountKey }, paths))
  return serviceAccountKey
}

/** The address and credential of an instance. */
export function accessTo(record: InstanceRecord, paths: InstancePaths): EmulatorAccess {
  const { caCertificate, clientCertificate, clientKey } = record.certificates
  return {
    instance: record.name,
    context: contextName(record.name),
    server: `https://127.0.0.1:${record.ports.control}`,
    socket: paths.socket,
    caCertificate,
    clientCertificate,
    clientKey,
    token: record.token,
  }
}

/** Which emulator runs, if running.json says so; a damaged file counts as none. */
export function readRunning(paths: InstancePaths): RunningRecord | undefined {
  const text = accessing(paths, () => readFileIfExists(paths.running))
  const running = text === undefined ? undefined : (parsed(text) as Partial<RunningRecord> | undefined)
  return running && Number.isInteger(running.pid) ? (running as RunningRecord) : undefined
}

/** Runs file work of an instance; what the system refuses becomes a sentence that names the directory. */
export function accessing<T>(paths: InstancePaths, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === undefined || error instanceof UserError) throw error
    throw new UserError({
      code: code === 'ENOSPC' ? 'disk-full' : 'state-unusable',
      what: `cannot use the state directory ${paths.directory}`,
      why: message,
      remedies:
        code === 'ENOSPC' ? ['free some space and try again'] : ['make the directory writable, or set XDG_STATE_HOME to another one'],
      cause: error,
    })
  }
}

async function firstPorts(name: string): Promise<Ports> {
  if (name === DEFAULT_INSTANCE) return DEFAULT_PORTS
  const [control, external, clusterLocal, clusterLocalTls] = (await freePorts(4)) as [number, number, number, number]
  return { control, external, clusterLocal, clusterLocalTls }
}

/** The record of an instance that is older than one of its ports, with that port; it keeps it from now on. */
export async function withAllPorts(record: InstanceRecord, paths: InstancePaths): Promise<InstanceRecord> {
  if (record.ports.clusterLocalTls) return record
  const { clusterLocalTls } = await firstPorts(record.name)
  const next = { ...record, ports: { ...record.ports, clusterLocalTls } }
  accessing(paths, () => writeRecord(next, paths))
  return next
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
