import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test as plain } from 'vitest'
import { jobKind } from '../../src/kinds/core/job/kind.js'
import { until } from '../support/daemon.js'
import { run, startTestEmulator, test } from '../support/emulator.js'
import { findKubectls, minorOf } from '../support/kubectl.js'

const kubectls = findKubectls()
const newest = kubectls.at(-1)!.path
const oldestAndNewest = [...new Set([kubectls[0]!, kubectls.at(-1)!])]

const SERVER = `require('http').createServer((q, r) => r.end(process.env.ANSWER)).listen(process.env.PORT, '127.0.0.1')`
const workload = (kind: string, name: string, more: string): string => `
apiVersion: apps/v1
kind: ${kind}
metadata:
  name: ${name}
spec:
${more}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: main
          image: kn.local/shell
          command: [node, -e, "${SERVER}"]
          env: [{name: ANSWER, value: one}]
          ports: [{containerPort: 80}]
          readinessProbe: {tcpSocket: {port: 80}}
`

describe.each(oldestAndNewest)('kubectl $version', ({ path, version }) => {
  let emulator: Awaited<ReturnType<typeof startTestEmulator>>
  const kubectl = async (...args: string[]) => run(path, args, emulator.env)
  const ok = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await kubectl(...args)
    expect({ args, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ args, exitCode: 0, stderr: '' })
    return stdout
  }
  const file = (name: string, text: string): string => {
    const at = join(emulator.directory, `${name}.yaml`)
    writeFileSync(at, text)
    return at
  }
  beforeAll(async () => {
    emulator = await startTestEmulator()
  })
  afterAll(() => emulator.close())

  plain('a StatefulSet is rolled out, scaled, updated, undone and deleted', async () => {
    const at = file('web', workload('StatefulSet', 'web', '  serviceName: web\n  replicas: 2'))
    expect(await ok('apply', '-f', at)).toBe('statefulset.apps/web created\n')
    expect(await ok('rollout', 'status', 'sts/web', '--timeout=30s')).toContain(
      'partitioned roll out complete: 2 new pods have been updated...',
    )
    expect(await ok('get', 'sts', 'web', '--no-headers')).toMatch(/^web +2\/2 +\d+s\n$/)
    expect(await ok('get', 'sts', '-o', 'wide')).toMatch(
      /^NAME +READY +AGE +CONTAINERS +IMAGES *\nweb +2\/2 +\d+s +main +kn.local\/shell *$/m,
    )
    expect(await ok('get', 'pods', '-l', 'app=web', '-o', 'name')).toBe('pod/web-0\npod/web-1\n')

    await ok('scale', 'sts/web', '--replicas=3')
    await ok('rollout', 'status', 'sts/web', '--timeout=30s')
    expect(await ok('get', 'pods', '-l', 'app=web', '-o', 'name')).toBe('pod/web-0\npod/web-1\npod/web-2\n')

    await ok('set', 'env', 'sts/web', 'ANSWER=two')
    await ok('rollout', 'status', 'sts/web', '--timeout=60s')
    const answers = () => ok('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].spec.containers[0].env[0].value}')
    expect(await answers()).toBe('two two two')
    expect(await ok('rollout', 'history', 'sts/web')).toMatch(/^1 +<none>\n2 +<none>$/m)
    await ok('rollout', 'undo', 'sts/web')
    await ok('rollout', 'status', 'sts/web', '--timeout=60s')
    expect(await answers()).toBe('one one one')

    await ok('delete', 'sts', 'web', '--timeout=30s')
    await until(async () => (await ok('get', 'pods,controllerrevisions', '-o', 'name')) === '' || undefined, 20_000, 'an empty namespace')
  })

  plain('a DaemonSet runs one pod on the node, and rolls out a change', async () => {
    await ok('apply', '-f', file('agent', workload('DaemonSet', 'agent', '')))
    expect(await ok('rollout', 'status', 'ds/agent', '--timeout=30s')).toContain('daemon set "agent" successfully rolled out')
    expect(await ok('get', 'ds', 'agent', '--no-headers')).toMatch(/^agent +1 +1 +1 +1 +1 +<none> +\d+s\n$/)
    await ok('set', 'env', 'ds/agent', 'ANSWER=two')
    await ok('rollout', 'status', 'ds/agent', '--timeout=60s')
    expect(await ok('get', 'pods', '-l', 'app=agent', '-o', 'jsonpath={.items[*].spec.containers[0].env[0].value}')).toBe('two')
    expect(await ok('get', 'all', '-o', 'name')).toContain('daemonset.apps/agent')
    await ok('delete', 'ds', 'agent', '--timeout=30s')
    await until(async () => (await ok('get', 'pods', '-o', 'name')) === '' || undefined, 20_000, 'no pods')
  })

  plain('a Job runs to completion, and its log can be read', async () => {
    expect(await ok('create', 'job', 'hello', '--image=kn.local/shell', '--', 'sh', '-c', 'echo hello from $HOSTNAME; echo done')).toBe(
      'job.batch/hello created\n',
    )
    expect(await ok('wait', '--for=condition=complete', 'job/hello', '--timeout=30s')).toBe('job.batch/hello condition met\n')
    expect(await ok('logs', 'job/hello')).toMatch(/\ndone\n$/)
    expect(await ok('get', 'jobs', 'hello', '--no-headers')).toMatch(/^hello +Complete +1\/1 +\d+s +\d+s\n$/)
    expect(await ok('get', 'pods', '-l', 'job-name=hello', '--no-headers')).toMatch(/^hello-[a-z0-9]{5} +0\/1 +Completed +0 +\d+s\n$/)
    expect(await ok('describe', 'job', 'hello')).toMatch(/Normal +Completed +\S+ +job-controller +Job completed/)
    await ok('delete', 'job', 'hello')
    await until(async () => (await ok('get', 'pods', '-o', 'name')) === '' || undefined, 20_000, 'no pods')
  })

  plain('a Job that fails says so, and kubectl wait sees it', async () => {
    const failing = {
      restartPolicy: 'Never',
      containers: [{ name: 'main', image: 'kn.local/shell', command: ['sh', '-c', 'echo sorry; exit 3'] }],
    }
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'sorry' }, spec: { backoffLimit: 0, template: { spec: failing } } }
    await ok('apply', '-f', file('sorry', JSON.stringify(job)))
    expect(await ok('wait', '--for=condition=failed', 'job/sorry', '--timeout=30s')).toBe('job.batch/sorry condition met\n')
    expect(await ok('logs', 'job/sorry')).toBe('sorry\n')
    expect(await ok('get', 'jobs', 'sorry', '--no-headers')).toMatch(/^sorry +Failed +0\/1 +\d+s +\d+s\n$/)
    expect(await ok('get', 'job', 'sorry', '-o', 'jsonpath={.status.conditions[?(@.type=="Failed")].reason}')).toBe('BackoffLimitExceeded')
    await ok('delete', 'job', 'sorry')
  })

  // Before 1.21 kubectl asks for CronJobs in batch/v1beta1, which is gone.
  plain.skipIf(minorOf(version) < 21)('a Job can be made from a CronJob by hand', async () => {
    await ok('create', 'cronjob', 'tick', '--image=kn.local/shell', '--schedule=0 0 1 1 *', '--', 'sh', '-c', 'echo tock')
    expect(await ok('get', 'cj', 'tick', '--no-headers')).toMatch(/^tick +0 0 1 1 \* +<none> +False +0 +<none> +\d+s\n$/)
    expect(await ok('create', 'job', 'now', '--from=cronjob/tick')).toBe('job.batch/now created\n')
    await ok('wait', '--for=condition=complete', 'job/now', '--timeout=30s')
    expect(await ok('logs', 'job/now')).toBe('tock\n')
    await ok('delete', 'cronjob', 'tick')
    await until(async () => (await ok('get', 'jobs,pods', '-o', 'name')) === '' || undefined, 20_000, 'no jobs')
  })

  plain('a budget keeps an eviction away until there are enough pods', async () => {
    await ok('apply', '-f', file('web', workload('Deployment', 'web', '  replicas: 1')))
    await ok('rollout', 'status', 'deployment/web', '--timeout=30s')
    const budget = { minAvailable: 1, selector: { matchLabels: { app: 'web' } } }
    await ok(
      'apply',
      '-f',
      file('pdb', JSON.stringify({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'web' }, spec: budget })),
    )
    await until(async () => /^web +1 +N\/A +0 /m.test(await ok('get', 'pdb', '--no-headers')) || undefined, 10_000, 'the budget')
    const evict = async () => {
      const pod = (await ok('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[0].metadata.name}')).trim()
      const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod, namespace: 'default' } }
      return kubectl('create', '--raw', `/api/v1/namespaces/default/pods/${pod}/eviction`, '-f', file('eviction', JSON.stringify(body)))
    }
    const refused = await evict()
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain("Cannot evict pod as it would violate the pod's disruption budget.")
    await ok('scale', 'deployment/web', '--replicas=2')
    await ok('rollout', 'status', 'deployment/web', '--timeout=30s')
    await until(async () => /^web +1 +N\/A +1 /m.test(await ok('get', 'pdb', '--no-headers')) || undefined, 10_000, 'room in the budget')
    expect((await evict()).exitCode).toBe(0)
    await ok('delete', 'deployment,pdb', 'web')
  })

  plain('an autoscaler keeps to its bounds and says that there are no metrics', async () => {
    await ok('apply', '-f', file('web', workload('Deployment', 'web', '  replicas: 1')))
    await ok('autoscale', 'deployment', 'web', '--min=2', '--max=3', '--cpu-percent=50')
    await until(
      async () => (await ok('get', 'deployment', 'web', '-o', 'jsonpath={.spec.replicas}')) === '2' || undefined,
      10_000,
      'two replicas',
    )
    const reason = () => ok('get', 'hpa', 'web', '-o', 'jsonpath={.status.conditions[?(@.type=="ScalingActive")].reason}')
    await until(async () => (await reason()) === 'FailedGetResourceMetric' || undefined, 10_000, 'ScalingActive')
    expect(await ok('get', 'hpa', '--no-headers')).toMatch(/^web +Deployment\/web +cpu: <unknown>\/50% +2 +3 +\d+ +\d+s\n$/)
    const one = JSON.parse(await ok('get', '--raw', '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers/web')) as object
    expect(one).toMatchObject({ apiVersion: 'autoscaling/v1', spec: { targetCPUUtilizationPercentage: 50, minReplicas: 2 } })
    await ok('delete', 'hpa,deployment', 'web')
  })

  plain('a claim waits and says why', async () => {
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
    await ok(
      'apply',
      '-f',
      file('data', JSON.stringify({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec })),
    )
    expect(await ok('get', 'pvc', '--no-headers')).toMatch(/^data +Pending +<unset> +\d+s\n$/)
    await until(
      async () =>
        (await ok('describe', 'pvc', 'data')).includes('no persistent volumes available for this claim and no storage class is set') ||
        undefined,
      10_000,
      'the Event',
    )
    await ok('delete', 'pvc', 'data', '--timeout=10s')
    expect(await ok('get', 'pv,sc,rc', '-o', 'name')).toBe('')
  })
})

test('a CronJob makes its Jobs as virtual time passes, and keeps the last three', async ({ client, clock, emulator }) => {
  const create = ['create', 'cronjob', 'tick', '--image=kn.local/shell', '--schedule=*/10 * * * *', '--', 'sh', '-c', 'echo tock']
  expect((await run(newest, create, emulator.env)).exitCode).toBe(0)
  for (let step = 0; step < 6; step++) {
    await clock.advance(600_000)
    await until(
      async () => {
        const jobs = await client.list(jobKind, 'default')
        return jobs.length === Math.min(step + 1, 3) && jobs.every(({ status }) => status?.completionTime) ? true : undefined
      },
      20_000,
      `the end of job ${step + 1}`,
    )
  }
  const names = (await client.list(jobKind, 'default')).map(({ metadata }) => Number(metadata.name.slice('tick-'.length)))
  const last = Math.floor(clock.now() / 600_000) * 10
  expect(names.sort()).toEqual([last - 20, last - 10, last])
})
