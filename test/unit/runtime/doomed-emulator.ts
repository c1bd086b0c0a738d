/** A program for supervisor.test.ts: starts what a workload may be, says the pids, and waits to be killed. Arguments: supervisor, directory, marker. */
import { createSystemClock } from '../../../src/base/clock.js'
import { createSilentLogger } from '../../../src/base/logger.js'
import { createProcessRuntime } from '../../../src/runtime/process.js'
import { startSupervisor } from '../../../src/runtime/supervise.js'

const WORKLOADS = {
  plain: 'exec sleep 300',
  stubborn: 'trap "" TERM HUP INT; echo $$; while :; do sleep 0.05; done',
  // A child in a session of its own: in no process group that anybody has been told of.
  runaway: `exec node -e "const c = require('child_process').spawn('sleep', ['300'], { detached: true, stdio: 'ignore' }); console.log(c.pid); setInterval(() => {}, 1000)"`,
}

async function main([file, directory, marker]: string[]): Promise<void> {
  const clock = createSystemClock()
  const log = createSilentLogger()
  const supervisor = await startSupervisor({ file: file!, marker: marker!, log })
  const runtime = createProcessRuntime({ directory: directory!, marker: marker!, supervisor, clock, log, hostEnv: process.env })
  const image = { repository: 'kn.local/shell', digest: 'sha256:0', entrypoint: [], args: [], env: {} }
  const pids: number[] = []
  for (const [name, script] of Object.entries(WORKLOADS)) {
    const pod = { namespace: 'default', name, uid: name }
    const container = await runtime.start({ pod, container: 'main', attempt: 0, image, command: ['sh', '-c', script], env: {} })
    pids.push(container.pid)
    if (name === 'plain') continue
    for await (const line of runtime.logs({ podUid: name, container: 'main', attempt: 0 }, { follow: true }) ?? []) {
      pids.push(Number(line))
      break
    }
  }
  process.stdout.write(`${JSON.stringify(pids)}\n`)
}

void main(process.argv.slice(2))
