import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/daemon.js'
import { type Ran, run, startTestEmulator } from '../support/emulator.js'
import { findKubectls } from '../support/kubectl.js'

/** Reviews as webhooks get them, as far as these tests look at them. */
interface ReviewRequest {
  uid: string
  kind: { group: string; version: string; kind: string }
  resource: { group: string; version: string; resource: string }
  subResource?: string
  name?: string
  namespace?: string
  operation: string
  userInfo: { username: string; groups: string[] }
  object: { metadata: { name?: string; labels?: Record<string, string> }; data?: Record<string, string> } | null
  oldObject: object | null
  dryRun: boolean
  options: { kind: string; apiVersion: string }
}
type Response = Record<string, unknown>
type Answer = (request: ReviewRequest) => Response | Promise<Response>

const tls = (file: string): string => readFileSync(join(process.cwd(), 'test', 'fixtures', 'tls', file), 'utf8')
const caBundle = Buffer.from(tls('ca.crt')).toString('base64')
const patchOf = (...operations: object[]): Response => ({
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
})

/** A real HTTPS server that answers AdmissionReviews, each path as it is told. */
async function startWebhooks() {
  const answers = new Map<string, Answer>()
  const asked: (ReviewRequest & { path: string; query: string })[] = []
  const server = createServer({ key: tls('server.key'), cert: tls('server.crt') }, (request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', async () => {
      const { pathname, search } = new URL(request.url!, 'https://localhost')
      const review = JSON.parse(body) as { apiVersion: string; kind: string; request: ReviewRequest }
      asked.push({ ...review.request, path: pathname, query: search })
      const answer = await answers.get(pathname)?.(review.request)
      if (!answer) {
        response.statusCode = 500
        return response.end('out of order')
      }
      response.setHeader('Content-Type', 'application/json')
      const { apiVersion, kind } = review
      response.end(JSON.stringify({ apiVersion, kind, response: { uid: review.request.uid, allowed: true, ...answer } }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    answers,
    asked,
    url: (path: string) => `https://127.0.0.1:${port}${path}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const kubectl = findKubectls().at(-1)!
let emulator: Awaited<ReturnType<typeof startTestEmulator>>
let webhooks: Awaited<ReturnType<typeof startWebhooks>>

const kube = (commandLine: string, input?: unknown): Promise<Ran> =>
  run(kubectl.path, commandLine.split(' '), emulator.env, input === undefined ? {} : { input: JSON.stringify(input) })
const ok = async (commandLine: string, input?: unknown): Promise<string> => {
  const { exitCode, stdout, stderr } = await kube(commandLine, input)
  expect({ commandLine, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ commandLine, exitCode: 0, stderr: '' })
  return stdout
}
const refused = async (commandLine: string, input?: unknown): Promise<string> => {
  const { exitCode, stderr } = await kube(commandLine, input)
  expect({ commandLine, exitCode }).toEqual({ commandLine, exitCode: 1 })
  return stderr.trim()
}

const aWebhook = (name: string, path: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: `${name}.example.com`,
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  clientConfig: { url: webhooks.url(path), caBundle },
  rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] }],
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } },
  ...more,
})
const configure = (kind: 'Mutating' | 'Validating', ...hooks: object[]): Promise<string> =>
  ok('apply -f -', {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${kind}WebhookConfiguration`,
    metadata: { name: 'test' },
    webhooks: hooks,
  })
const aMap = (name: string, data: Record<string, string> = {}, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
})
// biome-ignore lint/suspicious/noExplicitAny: what kubectl prints has every shape there is.
const json = async (commandLine: string): Promise<any> => JSON.parse(await ok(`${commandLine} -o json`))

beforeAll(async () => {
  emulator = await startTestEmulator()
  webhooks = await startWebhooks()
})
afterAll(async () => {
  await webhooks.close()
  await emulator.close()
})

describe('webhooks', () => {
  afterEach(async () => {
    await ok('delete validatingwebhookconfiguration,mutatingwebhookconfiguration --all')
    await ok('delete configmap -l!keep --ignore-not-found --field-selector=metadata.name!=kube-root-ca.crt')
    webhooks.answers.clear()
    webhooks.asked.length = 0
  })

  test('a validating webhook refuses what it denies, in its own words, and sees the request', async () => {
    await configure('Validating', aWebhook('deny', '/deny'))
    webhooks.answers.set('/deny', ({ object }) =>
      object!.data?.['bad'] ? { allowed: false, status: { message: 'bad is bad', code: 403, reason: 'Forbidden' } } : {},
    )
    expect(await refused('create -f -', aMap('one', { bad: 'yes' }))).toBe(
      'Error from server (Forbidden): error when creating "STDIN": admission webhook "deny.example.com" denied the request: bad is bad',
    )
    expect(await refused('get configmap one')).toContain('NotFound')
    await ok('create -f -', aMap('two', { good: 'yes' }))
    const { asked } = webhooks
    expect(asked).toHaveLength(2)
    expect(asked[1]).toMatchObject({
      query: '?timeout=10s',
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      name: 'two',
      namespace: 'default',
      operation: 'CREATE',
      userInfo: { username: 'kubernetes-admin', groups: expect.arrayContaining(['system:masters', 'system:authenticated']) },
      object: { apiVersion: 'v1', kind: 'ConfigMap', data: { good: 'yes' } },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    })
  })

  test('a mutating webhook patches what is stored, on create and update, and its warnings are shown', async () => {
    await configure('Mutating', aWebhook('label', '/label'))
    webhooks.answers.set('/label', ({ operation, object }) => ({
      ...patchOf(
        { op: 'add', path: '/data/seen', value: operation },
        ...(object!.metadata.labels ? [] : [{ op: 'add', path: '/metadata/labels', value: { by: 'webhook' } }]),
      ),
      warnings: ['mind the "gap"'],
    }))
    const { stderr, exitCode } = await kube('create -f -', aMap('one', { a: '1' }))
    expect({ stderr, exitCode }).toEqual({ stderr: 'Warning: mind the "gap"\n', exitCode: 0 })
    expect(await json('get configmap one')).toMatchObject({ metadata: { labels: { by: 'webhook' } }, data: { a: '1', seen: 'CREATE' } })
    await ok('patch configmap one --type=merge -p {"data":{"a":"2"}}')
    expect(await json('get configmap one')).toMatchObject({ data: { a: '2', seen: 'UPDATE' } })
    const [, update] = webhooks.asked
    expect(update).toMatchObject({ operation: 'UPDATE', object: { data: { a: '2' } }, oldObject: { data: { a: '1', seen: 'CREATE' } } })
  })

  test('a webhook that wants to be is asked again once when a later one changed the object', async () => {
    await configure(
      'Mutating',
      aWebhook('a', '/a', { reinvocationPolicy: 'IfNeeded' }),
      aWebhook('b', '/b', { reinvocationPolicy: 'Never' }),
    )
    webhooks.answers.set('/a', ({ object }) => patchOf({ op: 'add', path: '/data/a', value: Object.keys(object!.data ?? {}).join('+') }))
    webhooks.answers.set('/b', () => patchOf({ op: 'add', path: '/data/b', value: 'here' }))
    await ok('create -f -', aMap('one', { x: '1' }))
    expect(webhooks.asked.map(({ path }) => path)).toEqual(['/a', '/b', '/a'])
    expect((await json('get configmap one')).data).toEqual({ x: '1', b: 'here', a: 'x+a+b' })
  })

  test('a webhook that fails stops the request, or does not, as its failurePolicy says', async () => {
    await configure('Validating', aWebhook('broken', '/broken'))
    expect(await refused('create -f -', aMap('one'))).toBe(
      'Error from server (InternalError): error when creating "STDIN": Internal error occurred: failed calling webhook "broken.example.com": ' +
        'failed to call webhook: an error on the server ("out of order") has prevented the request from succeeding',
    )
    await configure('Validating', aWebhook('broken', '/broken', { failurePolicy: 'Ignore' }))
    await ok('create -f -', aMap('one'))
  })

  test('a webhook that is too slow, not there, or not who it should be has failed', async () => {
    webhooks.answers.set('/slow', () => new Promise(() => {}))
    await configure('Validating', aWebhook('slow', '/slow', { timeoutSeconds: 1 }))
    expect(await refused('create -f -', aMap('one'))).toContain(
      `failed calling webhook "slow.example.com": failed to call webhook: Post "${webhooks.url('/slow?timeout=1s')}": context deadline exceeded`,
    )
    await configure('Validating', aWebhook('gone', '/', { clientConfig: { service: { namespace: 'default', name: 'nowhere' } } }))
    expect(await refused('create -f -', aMap('one'))).toContain(
      'failed to call webhook: Post "https://nowhere.default.svc:443/?timeout=10s": service "nowhere" not found',
    )
    const stranger = Buffer.from(tls('stranger.crt')).toString('base64')
    await configure('Validating', aWebhook('stranger', '/deny', { clientConfig: { url: webhooks.url('/deny'), caBundle: stranger } }))
    expect(await refused('create -f -', aMap('one'))).toContain(
      'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    )
  })

  test('selectors, scopes, operations and conditions decide whether a webhook is asked', async () => {
    webhooks.answers.set('/all', () => ({}))
    await configure(
      'Validating',
      aWebhook('all', '/all', {
        rules: [
          {
            apiGroups: ['*'],
            apiVersions: ['*'],
            operations: ['CREATE', 'DELETE'],
            resources: ['configmaps', 'secrets', 'namespaces'],
            scope: 'Namespaced',
          },
        ],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } },
        objectSelector: { matchExpressions: [{ key: 'quiet', operator: 'DoesNotExist' }] },
        matchConditions: [
          { name: 'not-boring', expression: 'request.operation == "DELETE" || object.metadata.name != "boring"' },
          { name: 'people', expression: '!request.userInfo.username.startsWith("system:serviceaccount:")' },
        ],
      }),
    )
    await ok('create -f -', aMap('asked'))
    await ok('create -f -', aMap('boring'))
    await ok('create -f -', aMap('quiet', {}, { labels: { quiet: 'true' } }))
    await ok('create -f -', aMap('elsewhere', {}, { namespace: 'kube-public' }))
    await ok('create namespace other')
    await ok('label configmap asked a=b')
    await ok('delete configmap asked boring quiet')
    await ok('delete configmap elsewhere -n kube-public')
    await ok('delete namespace other')
    expect(webhooks.asked.map(({ operation, name }) => `${operation} ${name}`)).toEqual(['CREATE asked', 'DELETE asked', 'DELETE boring'])
    const deletion = webhooks.asked[1]!
    expect(deletion).toMatchObject({ object: null, oldObject: { metadata: { name: 'asked' } }, options: { kind: 'DeleteOptions' } })
  })

  test('a deletion that is denied does not happen', async () => {
    await ok('create -f -', aMap('precious'))
    webhooks.answers.set('/keep', () => ({ allowed: false }))
    await configure(
      'Validating',
      aWebhook('keep', '/keep', { rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['DELETE'], resources: ['configmaps'] }] }),
    )
    expect(await refused('delete configmap precious')).toBe(
      'Error from server: admission webhook "keep.example.com" denied the request without explanation',
    )
    await ok('get configmap precious')
  })

  test('controllers are asked about too, by their names, and subresources only where a rule names them', async () => {
    webhooks.answers.set('/pods', ({ operation }) =>
      operation === 'CREATE' ? patchOf({ op: 'add', path: '/metadata/annotations', value: { touched: 'yes' } }) : {},
    )
    await configure(
      'Mutating',
      aWebhook('pods', '/pods', {
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['pods'] }],
      }),
    )
    await ok('create deployment web --image=ghcr.io/knative/helloworld-go')
    await ok('rollout status deployment/web --timeout=30s')
    const pods = await json('get pods -l app=web')
    expect(pods.items[0].metadata.annotations).toMatchObject({ touched: 'yes' })
    const [creation] = webhooks.asked
    expect(creation).toMatchObject({
      operation: 'CREATE',
      userInfo: { username: 'system:serviceaccount:kube-system:replicaset-controller' },
    })
    // Its name is generated after webhooks had their say.
    expect(creation!.name).toBeUndefined()
    expect(creation!.object!.metadata.name).toBeUndefined()
    expect(webhooks.asked.every(({ subResource }) => subResource === undefined)).toBe(true)
    await ok('delete deployment web')
    await until(async () => (await json('get pods -l app=web')).items.length === 0)
  })

  test('with matchPolicy Equivalent a webhook sees its own version of the object, and its patch is carried over', async () => {
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
    await ok('create -f -', {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'gadgets.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'gadgets', kind: 'Gadget' },
        versions: [
          { name: 'v1', served: true, storage: true, schema },
          { name: 'v1beta1', served: true, storage: false, schema },
        ],
      },
    })
    webhooks.answers.set('/old', () => patchOf({ op: 'add', path: '/spec', value: { size: 3 } }))
    const rules = [{ apiGroups: ['example.com'], apiVersions: ['v1beta1'], operations: ['CREATE'], resources: ['gadgets'] }]
    await configure('Mutating', aWebhook('old', '/old', { rules }), aWebhook('exact', '/never', { rules, matchPolicy: 'Exact' }))
    await ok('create -f -', { apiVersion: 'example.com/v1', kind: 'Gadget', metadata: { name: 'one' } })
    expect(webhooks.asked).toMatchObject([
      {
        path: '/old',
        kind: { version: 'v1beta1' },
        resource: { version: 'v1beta1' },
        requestKind: { version: 'v1' },
        requestResource: { version: 'v1' },
        object: { apiVersion: 'example.com/v1beta1' },
      },
    ])
    expect(await json('get gadgets.v1.example.com one')).toMatchObject({ apiVersion: 'example.com/v1', spec: { size: 3 } })
    await ok('delete crd gadgets.example.com')
  })

  test('who writes while a webhook is thinking is not overwritten', async () => {
    await ok('create -f -', aMap('shared', { count: '0' }))
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    webhooks.answers.set('/think', async ({ object }) => {
      if (object!.data?.['slow'] && !object!.data['fast']) await held
      return {}
    })
    await configure('Validating', aWebhook('think', '/think'))
    const slow = kube('patch configmap shared --type=merge -p {"data":{"slow":"yes"}}')
    await until(() => webhooks.asked.length === 1)
    await ok('patch configmap shared --type=merge -p {"data":{"fast":"yes"}}')
    release()
    expect((await slow).exitCode).toBe(0)
    expect((await json('get configmap shared')).data).toEqual({ count: '0', fast: 'yes', slow: 'yes' })
    // Asked about the object as it was, then about the one that is really stored.
    expect(webhooks.asked.at(-1)!.object!.data).toEqual({ count: '0', fast: 'yes', slow: 'yes' })
  })

  test('a dry run is reviewed as one and stores nothing; configurations of webhooks are never reviewed', async () => {
    webhooks.answers.set('/all', () => ({}))
    await configure(
      'Validating',
      aWebhook('all', '/all', {
        namespaceSelector: {},
        rules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }],
      }),
    )
    await ok('create -f - --dry-run=server', aMap('one'))
    expect(webhooks.asked.filter(({ name }) => name === 'one')).toMatchObject([{ dryRun: true, options: { dryRun: ['All'] } }])
    expect(await refused('get configmap one')).toContain('NotFound')
    await ok('annotate validatingwebhookconfiguration test a=b')
    expect(webhooks.asked.some(({ resource }) => resource.group === 'admissionregistration.k8s.io')).toBe(false)
  })

  test('a configuration that cannot work is refused', async () => {
    const text = await refused('create -f -', {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'bad' },
      webhooks: [
        {
          name: 'short',
          clientConfig: { url: 'http://localhost' },
          timeoutSeconds: 31,
          rules: [{ operations: ['PATCH'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
          matchConditions: [{ name: 'x', expression: 'object.metadata.name == nothing' }],
        },
      ],
    })
    expect(text).toContain('* webhooks[0].name: Invalid value: "short": should be a domain with at least three segments separated by dots')
    expect(text).toContain(
      '* webhooks[0].rules[0].operations[0]: Unsupported value: "PATCH": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
    )
    expect(text).toContain('* webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun')
    expect(text).toContain('* webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds')
    expect(text).toContain("undeclared reference to 'nothing'")
    expect(text).toContain('* webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1')
  })
})

describe('limits and quotas', () => {
  const aPod = (name: string, resources: object = {}): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'c', image: 'ghcr.io/knative/helloworld-go', resources }] },
  })

  test('a LimitRange fills in what a container leaves out, and refuses what is too much or too little', async () => {
    await ok('create namespace limits')
    await ok('create -n limits -f -', {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'mem' },
      spec: {
        limits: [
          {
            type: 'Container',
            min: { cpu: '100m' },
            max: { cpu: '1', memory: '1Gi' },
            default: { memory: '512Mi' },
            defaultRequest: { memory: '256Mi' },
          },
        ],
      },
    })
    await ok('create -n limits -f -', aPod('plain'))
    const pod = await json('get pod -n limits plain')
    expect(pod.spec.containers[0].resources).toEqual({ limits: { cpu: '1', memory: '512Mi' }, requests: { cpu: '1', memory: '256Mi' } })
    expect(pod.metadata.annotations['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c',
    )
    expect(await refused('create -n limits -f -', aPod('greedy', { limits: { cpu: '2' }, requests: { cpu: '50m' } }))).toBe(
      'Error from server (Forbidden): error when creating "STDIN": pods "greedy" is forbidden: ' +
        '[minimum cpu usage per Container is 100m, but request is 50m, maximum cpu usage per Container is 1, but limit is 2]',
    )
  })

  test('a quota counts what is there, shows it, and refuses one more than fits, however many ask at once', async () => {
    await ok('create namespace quotas')
    await ok('create quota small --hard=configmaps=4,count/secrets=1 -n quotas')
    // One is there from the start: the authority's certificate.
    await until(async () => (await json('get quota small -n quotas')).status?.used?.configmaps === '1')
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, index) => kube(`create configmap many-${index} -n quotas --from-literal=a=b`)),
    )
    expect(results.filter(({ exitCode }) => exitCode === 0)).toHaveLength(3)
    const { stderr } = results.find(({ exitCode }) => exitCode !== 0)!
    expect(stderr).toMatch(
      /^error: failed to create configmap: configmaps "many-\d" is forbidden: exceeded quota: small, requested: configmaps=1, used: configmaps=4, limited: configmaps=4\n$/,
    )
    await until(async () => (await json('get quota small -n quotas')).status.used.configmaps === '4')
    expect(await ok('get quota -n quotas')).toMatch(/^NAME +REQUEST +LIMIT +AGE\nsmall +configmaps: 4\/4, count\/secrets: 0\/1 +\d+s\n$/)
    const gone = results.findIndex(({ exitCode }) => exitCode === 0)
    await ok(`delete configmap -n quotas many-${gone}`)
    await ok('create configmap again -n quotas')
  })

  test('a quota on cpu wants every container to say what it needs, and adds up', async () => {
    await ok('create namespace compute')
    await ok('create quota compute --hard=requests.cpu=1,pods=5 -n compute')
    expect(await refused('create -n compute -f -', aPod('silent'))).toContain(
      'pods "silent" is forbidden: failed quota: compute: must specify requests.cpu for: c',
    )
    await ok('create -n compute -f -', aPod('first', { requests: { cpu: '600m' } }))
    expect(await refused('create -n compute -f -', aPod('second', { requests: { cpu: '500m' } }))).toContain(
      'pods "second" is forbidden: exceeded quota: compute, requested: requests.cpu=500m, used: requests.cpu=600m, limited: requests.cpu=1',
    )
    // Controllers meet the same refusal and tell it.
    await ok('create deployment web -n compute --image=ghcr.io/knative/helloworld-go')
    await until(async () => (await json('get rs -n compute')).items[0]?.status?.conditions?.[0]?.reason === 'FailedCreate')
  })
})

describe('other kinds', () => {
  test("every group version is listed as an APIService, definitions included, and a user's own says why it does not answer", async () => {
    const text = await ok('get apiservices')
    expect(text).toMatch(/^v1\. +Local +True +\d+s$/m)
    expect(text).toMatch(/^v1\.apps +Local +True +\d+s$/m)
    expect(text).toMatch(/^v1\.serving\.knative\.dev +Local +True +\d+s$/m)
    await ok('create -f -', {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.metrics.example.com' },
      spec: {
        group: 'metrics.example.com',
        version: 'v1beta1',
        service: { namespace: 'default', name: 'metrics' },
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
      },
    })
    await until(async () => /False \(ServiceNotFound\)/.test(await ok('get apiservice v1beta1.metrics.example.com')))
    await ok('create service clusterip metrics --tcp=443:443')
    await until(async () => /False \(MissingEndpoints\)/.test(await ok('get apiservice v1beta1.metrics.example.com')))
    expect(await refused('get --raw /apis/metrics.example.com/v1beta1/nodes')).toBe(
      'Error from server (ServiceUnavailable): the server is currently unable to handle the request',
    )
    await ok('delete apiservice v1beta1.metrics.example.com')
    expect(await refused('get --raw /apis/metrics.example.com/v1beta1/nodes')).toContain('NotFound')
  })

  test('Events are the same through both of their groups', async () => {
    const at = new Date().toISOString().replace('Z', '000Z')
    await ok('create -f -', {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'tale', namespace: 'default' },
      eventTime: at,
      reportingController: 'example.com/teller',
      reportingInstance: 'teller-1',
      action: 'Told',
      reason: 'Telling',
      note: 'once upon a time',
      type: 'Normal',
      regarding: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'hero' },
    })
    expect(await json('get events tale')).toMatchObject({
      apiVersion: 'v1',
      involvedObject: { kind: 'Pod', name: 'hero' },
      message: 'once upon a time',
      reportingComponent: 'example.com/teller',
    })
    await ok('patch events tale --type=merge -p {"count":3}')
    const event = await json('get events.v1.events.k8s.io tale')
    expect(event).toMatchObject({
      apiVersion: 'events.k8s.io/v1',
      regarding: { name: 'hero' },
      note: 'once upon a time',
      deprecatedCount: 3,
    })
    expect(event.message).toBeUndefined()
    expect(await ok('get events.v1.events.k8s.io --field-selector regarding.name=hero')).toMatch(/Telling +pod\/hero +once upon a time/)
    await ok('delete events.v1.events.k8s.io tale')
    expect(await refused('get events tale')).toContain('NotFound')
  })

  test('a bad value in a configuration of Knative is refused as its webhook refuses it', async () => {
    const set = (name: string, data: object): Promise<string> =>
      refused(`patch configmap -n knative-serving ${name} --type=merge -p ${JSON.stringify({ data })}`)
    expect(await set('config-autoscaler', { 'max-scale-up-rate': '0.5' })).toBe(
      'Error from server (BadRequest): admission webhook "config.webhook.serving.knative.dev" denied the request: validation failed: max-scale-up-rate = 0.5, must be greater than 1.0',
    )
    expect(await set('config-autoscaler', { 'stable-window': '1m1s500ms' })).toContain(
      'stable-window = 1m1.5s, must be specified with at most second precision',
    )
    expect(await set('config-defaults', { 'revision-timeout-seconds': 'soon' })).toContain(
      'validation failed: failed to parse "revision-timeout-seconds": strconv.ParseInt: parsing "soon": invalid syntax',
    )
    await ok('patch configmap -n knative-serving config-autoscaler --type=merge -p {"data":{"max-scale-up-rate":"10"}}')
  })

  test('the kinds that nothing acts on are stored, listed and explained with the columns of a cluster', async () => {
    await ok('create ingress web --class=nginx --rule=a.example.com/*=web:80,tls=secret')
    expect(await ok('get ingress')).toMatch(/^NAME +CLASS +HOSTS +ADDRESS +PORTS +AGE\nweb +nginx +a\.example\.com +80, 443 +\d+s\n$/)
    expect(await ok('get priorityclasses')).toMatch(/^system-node-critical +2000001000 +false +\d+s +PreemptLowerPriority$/m)
    await ok('create priorityclass high --value=1000')
    await ok('create -f -', {
      ...aMap('x'),
      kind: 'Pod',
      data: undefined,
      metadata: { name: 'important' },
      spec: { priorityClassName: 'high', containers: [{ name: 'c', image: 'ghcr.io/knative/helloworld-go' }] },
    })
    expect((await json('get pod important')).spec.priority).toBe(1000)
    expect(await refused('run lost --image=x --overrides={"spec":{"priorityClassName":"none"}}')).toContain(
      'pods "lost" is forbidden: no PriorityClass with name none was found',
    )
    for (const kind of [
      'runtimeclasses',
      'ingressclasses',
      'networkpolicies',
      'certificatesigningrequests',
      'limitranges',
      'mutatingwebhookconfigurations',
    ])
      await ok(`get ${kind} -A`)
    expect(await ok('explain validatingwebhookconfiguration.webhooks.timeoutSeconds')).toContain('<integer>')
  })
})
