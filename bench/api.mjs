// The API server as a client over HTTPS meets it, beside etcd over gRPC in the same run (Debian's etcd-server: on the PATH, or unpacked
// below .cache/etcd): both over TLS, on the same disk, with every write synced before its answer. Then what many objects cost.
// Usage: npm run bench:api [-- --quick]
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, percentile, root, row, startEmulator } from './emulator.mjs'
import { connectApi, connectEtcd } from './wire.mjs'

const quick = process.argv.includes('--quick')
const rounds = quick ? 1 : 7
const CONCURRENCY = 16
const WATCHERS = 100
const OBJECTS = quick ? 200 : 10_000
const SERVICES = quick ? 10 : 1000
const IDLE_MS = quick ? 1000 : 60_000

const TEXT = 'x'.repeat(700)
const CONFIG_MAPS = (namespace) => `/api/v1/namespaces/${namespace}/configmaps`
const configMap = (name) => JSON.stringify({ metadata: { name }, data: { text: TEXT } })
const mergePatch = (body) => ({ body: JSON.stringify(body), type: 'application/merge-patch+json' })
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const many = (count, make) => Promise.all(Array.from({ length: count }, (_, index) => make(index)))

/** Answers a second, of `count` calls shared by these connections. */
async function rate(connections, count, call) {
  let next = 0
  const startedMs = performance.now()
  await Promise.all(
    connections.map(async (connection) => {
      while (next < count) await call(connection, next++)
    }),
  )
  return (count * 1000) / (performance.now() - startedMs)
}

async function eventually(what, probe, timeoutMs, intervalMs = 50) {
  const deadlineMs = performance.now() + timeoutMs
  while (!(await probe())) {
    if (performance.now() > deadlineMs) throw new Error(`${what} took more than ${timeoutMs} ms`)
    await pause(intervalMs)
  }
}

/** Debian's, with its own defaults but for addresses and TLS; undefined where there is none. */
async function startEtcd({ certificates }) {
  const program = ['etcd', join(root, '.cache', 'etcd', 'usr', 'bin', 'etcd')].find((path) => !spawnSync(path, ['--version']).error)
  if (!program) return undefined
  const directory = mkdtempSync(join(tmpdir(), 'kn-etcd-'))
  const [cert, key] = ['cert', 'key'].map((name) => join(directory, name))
  writeFileSync(cert, certificates.serverCertificate)
  writeFileSync(key, certificates.serverKey, { mode: 0o600 })
  mkdirSync(join(directory, 'data'), { mode: 0o700 })
  const port = 20000 + 2 * Math.floor(Math.random() * 5000)
  const [clients, peers] = [`https://127.0.0.1:${port}`, `http://127.0.0.1:${port + 1}`]
  const flags = Object.entries({
    'data-dir': join(directory, 'data'),
    'cert-file': cert,
    'key-file': key,
    'listen-client-urls': clients,
    'advertise-client-urls': clients,
    'listen-peer-urls': peers,
    'initial-advertise-peer-urls': peers,
    'initial-cluster': `default=${peers}`,
    logger: 'zap',
    'log-level': 'error',
  }).map(([name, value]) => `--${name}=${value}`)
  const child = spawn(program, flags, { stdio: 'ignore' })
  const stop = () => {
    child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
  const address = { port, ca: certificates.caCertificate }
  const answers = async () => {
    try {
      const connection = await connectEtcd(address)
      await connection.get('/')
      connection.close()
      return true
    } catch {
      return false
    }
  }
  try {
    await eventually('the start of etcd', answers, 15_000)
  } catch (error) {
    stop()
    throw error
  }
  const [version] = /[\d.]+/.exec(spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout)
  return { version, address, stop }
}

const recordOf = ({ directory }) => JSON.parse(readFileSync(join(directory, 'instance.json'), 'utf8'))
function addressOf(emulator) {
  const { token, certificates } = recordOf(emulator)
  return { port: emulator.ports.control, token, ca: certificates.caCertificate }
}

/** Both in turn after a first time that warms up, so that a drift of the machine's speed hits both; medians, that of the ratios too. */
async function beside(ours, theirs) {
  await ours(0)
  await theirs?.(0)
  const pairs = []
  for (let round = 1; round <= rounds; round++) pairs.push([await ours(round), theirs ? await theirs(round) : Number.NaN])
  const [a, b] = [0, 1].map((index) => perSecond(median(pairs.map((pair) => pair[index]))))
  return theirs ? `${median(pairs.map(([mine, other]) => mine / other)).toFixed(2)}x  (${a}, ${b})` : `${a}  (no etcd)`
}
const perSecond = (value) => (value >= 10_000 ? `${(value / 1000).toFixed(1)}k/s` : `${value.toFixed(0)}/s`)

async function compareRates(emulator, etcd) {
  const address = addressOf(emulator)
  const ours = await many(CONCURRENCY, () => connectApi(address))
  const theirs = etcd && (await many(CONCURRENCY, () => connectEtcd(etcd.address)))
  const [client] = ours
  for (const name of ['listed', 'written']) await client.json('POST', '/api/v1/namespaces', { metadata: { name } })
  // As long as what is stored here for such an object.
  const value = Buffer.from(JSON.stringify(await client.json('POST', CONFIG_MAPS('default'), JSON.parse(configMap('sample')))))

  for (const concurrency of [1, CONCURRENCY]) {
    const count = concurrency === 1 ? (quick ? 100 : 500) : quick ? 1000 : 4000
    const create = async (round) => {
      const made = await rate(ours.slice(0, concurrency), count, (connection, index) =>
        connection.send('POST', CONFIG_MAPS('written'), { body: configMap(`c${concurrency}-${round}-${index}`) }),
      )
      await client.send('DELETE', CONFIG_MAPS('written'))
      return made
    }
    const put = (round) =>
      rate(theirs.slice(0, concurrency), count, (connection, index) => connection.put(`/written/${concurrency}-${round}-${index}`, value))
    row(`durable creates, ${concurrency} at a time / etcd's puts`, await beside(create, theirs && put), '>= 1.0x')
  }

  await rate(ours, 500, (connection, index) => connection.send('POST', CONFIG_MAPS('listed'), { body: configMap(`l${index}`) }))
  if (theirs) await rate(theirs, 500, (connection, index) => connection.put(`/listed/l${index}`, value))
  const gets = quick ? 3000 : 20_000
  const get = () => rate(ours, gets, (connection, index) => connection.send('GET', `${CONFIG_MAPS('listed')}/l${index % 500}`))
  const theirGet = () => rate(theirs, gets, (connection, index) => connection.get(`/listed/l${index % 500}`))
  row(`gets, ${CONCURRENCY} at a time / etcd's`, await beside(get, theirs && theirGet), '>= 5,000/s')

  const lists = quick ? 50 : 400
  const list = () => rate(ours.slice(0, 4), lists, (connection) => connection.send('GET', CONFIG_MAPS('listed')))
  const theirList = () => rate(theirs.slice(0, 4), lists, (connection) => connection.list('/listed/'))
  row("lists of 500 objects, 4 at a time / etcd's", await beside(list, theirs && theirList), 'none')
  for (const connection of [...ours, ...(theirs ?? [])]) connection.close()
}

/**
 * Milliseconds from the sending of a change to its arrival at each of the watchers, for all changes together. `watch` opens one that
 * calls its listener for each event, `change` makes a change that is one event to each.
 */
async function fanOut(changes, watch, change) {
  const tookMs = []
  let startedMs = 0
  let arrived = 0
  let everyoneKnows = () => {}
  const listener = () => {
    tookMs.push(performance.now() - startedMs)
    if (++arrived === WATCHERS) everyoneKnows()
  }
  const watchers = []
  for (let index = 0; index < WATCHERS; index++) watchers.push(await watch(listener))
  const warmUp = quick ? 5 : 50
  for (let number = -warmUp; number < changes; number++) {
    if (number === 0) tookMs.length = 0
    arrived = 0
    const everyone = new Promise((resolve) => {
      everyoneKnows = resolve
    })
    startedMs = performance.now()
    await Promise.all([change(number), everyone])
    await pause(2)
  }
  for (const watcher of watchers) watcher.close()
  return tookMs.sort((a, b) => a - b)
}

async function compareFanOut(emulator, etcd) {
  const address = addressOf(emulator)
  const client = await connectApi(address)
  const collection = CONFIG_MAPS('default')
  await client.send('POST', collection, { body: configMap('changing') })
  const watch = async (listener) => {
    const { resourceVersion } = (await client.json('GET', collection)).metadata
    const connection = await connectApi(address)
    await connection.watch(`${collection}?watch=1&resourceVersion=${resourceVersion}`, listener)
    return connection
  }
  let changed = 0
  const change = () => client.send('PATCH', `${collection}/changing`, mergePatch({ data: { text: `${changed++}${TEXT}` } }))
  const writer = etcd && (await connectEtcd(etcd.address))
  const theirWatch = async (listener) => {
    const connection = await connectEtcd(etcd.address)
    await connection.watch('/watched/', listener)
    return connection
  }
  const value = Buffer.from(TEXT)

  const changes = quick ? 30 : 200
  const all = []
  for (let round = 0; round < (quick ? 1 : 5); round++) {
    const mine = await fanOut(changes, watch, change)
    all.push([mine, etcd ? await fanOut(changes, theirWatch, () => writer.put('/watched/changing', value)) : []])
  }
  for (const [name, share, target] of [
    ['p50', 0.5, 'none'],
    ['p99', 0.99, '<= 5 ms'],
  ]) {
    const [ours, theirs] = [0, 1].map((index) => median(all.map((pair) => percentile(pair[index], share) ?? Number.NaN)))
    const figure = `${ours.toFixed(1)} ms  (${etcd ? `etcd ${theirs.toFixed(1)}` : 'no etcd'})`
    row(`a change, synced and seen by ${WATCHERS} watchers, ${name}`, figure, target)
  }
  client.close()
  writer?.close()
}

function wallMs(work) {
  const startedMs = performance.now()
  work()
  return performance.now() - startedMs
}

/** Stops an emulator and starts it: how long that took, and what it holds a little later. */
async function restarted({ name, kn, status }, settleMs) {
  kn('emulator', 'stop', '--name', name)
  const tookMs = wallMs(() => kn('emulator', 'start', '--name', name))
  await pause(settleMs)
  const { pid } = status()
  return { tookMs, pid, residentMb: residentMbOf(pid) }
}

function residentMbOf(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024
}

/** What objects cost that only lie there. */
async function measureObjects(emulator) {
  const settleMs = quick ? 500 : 5000
  const empty = await restarted(emulator, settleMs)
  const connections = await many(CONCURRENCY, () => connectApi(addressOf(emulator)))
  await rate(connections, OBJECTS, (connection, index) => connection.send('POST', CONFIG_MAPS('default'), { body: configMap(`o${index}`) }))
  for (const connection of connections) connection.close()
  const full = await restarted(emulator, settleMs)
  const perThousandMb = ((full.residentMb - empty.residentMb) * 1000) / OBJECTS
  row(
    'resident memory for 1,000 ConfigMaps of 1 KB, after a start',
    `${perThousandMb.toFixed(1)} MB  (${empty.residentMb.toFixed(0)}, ${full.residentMb.toFixed(0)})`,
    'none',
  )
  row(`kn emulator start with ${OBJECTS} ConfigMaps (with none)`, `${full.tookMs.toFixed(0)} ms  (${empty.tookMs.toFixed(0)})`, 'none')
}

const isReady = ({ status }) => status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True')

/** Makes `SERVICES` objects of a kind and waits until all are ready. */
async function load(emulator, collection, make) {
  const connections = await many(CONCURRENCY, () => connectApi(addressOf(emulator)))
  const startedMs = performance.now()
  await rate(connections, SERVICES, (connection, index) => connection.send('POST', collection, { body: JSON.stringify(make(index)) }))
  const acceptedMs = performance.now() - startedMs
  const [client] = connections
  const allReady = async () => (await client.json('GET', collection)).items.every(isReady)
  await eventually(`${collection} becoming ready`, allReady, 900_000, 1000)
  const readyMs = performance.now() - startedMs
  for (const connection of connections) connection.close()
  return `${(acceptedMs / 1000).toFixed(1)} s, ${(readyMs / 1000).toFixed(1)} s`
}

/** Services that were never up: each with its Configuration, Route, Revision, Deployment and the rest of it, and no Pod. */
async function loadServices(emulator) {
  const client = await connectApi(addressOf(emulator))
  await client.send(
    'PATCH',
    `${CONFIG_MAPS('knative-serving')}/config-autoscaler`,
    mergePatch({ data: { 'allow-zero-initial-scale': 'true' } }),
  )
  client.close()
  return load(emulator, '/apis/serving.knative.dev/v1/namespaces/default/services', (index) => ({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: `s${index}` },
    spec: {
      template: {
        metadata: { annotations: { 'autoscaling.knative.dev/initial-scale': '0' } },
        spec: { containers: [{ image: 'ghcr.io/knative/helloworld-go' }] },
      },
    },
  }))
}

/** One Broker, a Trigger for each Service. */
async function loadTriggers(emulator) {
  const client = await connectApi(addressOf(emulator))
  const apiVersion = 'eventing.knative.dev/v1'
  await client.json('POST', `/apis/${apiVersion}/namespaces/default/brokers`, { apiVersion, kind: 'Broker', metadata: { name: 'default' } })
  client.close()
  return load(emulator, `/apis/${apiVersion}/namespaces/default/triggers`, (index) => ({
    apiVersion,
    kind: 'Trigger',
    metadata: { name: `t${index}` },
    spec: {
      broker: 'default',
      filter: { attributes: { type: `type-${index}` } },
      subscriber: { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: `s${index}` } },
    },
  }))
}

/** Processor time of a process so far, in milliseconds; Linux counts in hundredths of a second. */
function processorMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function measureLoaded(emulator, what) {
  const { tookMs, pid, residentMb } = await restarted(emulator, quick ? 1000 : 15_000)
  row(`${what}: kn emulator start`, `${(tookMs / 1000).toFixed(2)} s`, '<= 3 s')
  row(`${what}: resident memory`, `${residentMb.toFixed(0)} MB`, '<= 400 MB')
  const listMs = Array.from({ length: quick ? 3 : 15 }, () => wallMs(() => emulator.kn('service', 'list')))
  row(`${what}: kn service list`, `${median(listMs).toFixed(0)} ms`, '<= 200 ms')
  await pause(quick ? 500 : 5000)
  // What the lists left behind is collected in the first of them, and given back to the system.
  const first = await idlePercent(pid)
  row(`${what}: ${IDLE_MS / 1000} s after these lists, of one core`, `${first.toFixed(2)} %`, 'none')
  const second = await idlePercent(pid)
  row(`${what}: idle for ${IDLE_MS / 1000} s, of one core`, `${second.toFixed(2)} %  (${residentMbOf(pid).toFixed(0)} MB)`, '<= 1 %')
}

async function idlePercent(pid) {
  const beforeMs = processorMs(pid)
  const startedMs = performance.now()
  await pause(IDLE_MS)
  return ((processorMs(pid) - beforeMs) * 100) / (performance.now() - startedMs)
}

async function withEmulator(name, measure) {
  const emulator = startEmulator({ name })
  try {
    await measure(emulator)
  } finally {
    emulator.stop()
  }
}

await withEmulator('calls', async (emulator) => {
  const etcd = await startEtcd(recordOf(emulator))
  console.log(`node ${process.version}, ${rounds} rounds, medians; ${etcd ? `etcd ${etcd.version}` : 'no etcd (Debian: etcd-server)'}`)
  try {
    await compareRates(emulator, etcd)
    await compareFanOut(emulator, etcd)
  } finally {
    etcd?.stop()
  }
})
await withEmulator('objects', measureObjects)
await withEmulator('loaded', async (emulator) => {
  row(`${SERVICES} Services at zero: accepted, all ready`, await loadServices(emulator), 'none')
  await measureLoaded(emulator, `${SERVICES} Services at zero`)
  row(`${SERVICES} Triggers more: accepted, all ready`, await loadTriggers(emulator), 'none')
  await measureLoaded(emulator, 'and Triggers')
})
