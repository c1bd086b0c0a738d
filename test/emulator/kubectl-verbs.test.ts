import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/daemon.js'
import { type Ran, run, startTestEmulator } from '../support/emulator.js'
import { findKubectls } from '../support/kubectl.js'

const kubectls = findKubectls()
const oldestAndNewest = [...new Set([kubectls[0]!, kubectls.at(-1)!])]

const SETTINGS = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  mode: slow\n'
const HELLO = `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: hello
spec:
  template:
    spec:
      containers:
        - image: ghcr.io/knative/helloworld-go
`

describe.each(oldestAndNewest)('kubectl $version', ({ path, version }) => {
  let emulator: Awaited<ReturnType<typeof startTestEmulator>>
  const minor = Number(/^v1\.(\d+)/.exec(version)![1])
  const kubectl = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> => run(path, args, { ...emulator.env, ...env })
  const words = (line: string): string[] => line.split(' ')
  /** Words apart by spaces; text with spaces in it comes behind. */
  const ok = async (line: string, ...more: string[]): Promise<string> => {
    const ran = await kubectl([...words(line), ...more])
    expect({ line, ...ran, stdout: '', stderr: ran.exitCode === 0 ? '' : ran.stderr }).toEqual({
      line,
      exitCode: 0,
      stdout: '',
      stderr: '',
    })
    return ran.stdout
  }
  const refused = async (line: string, ...more: string[]): Promise<string> => {
    const { exitCode, stderr } = await kubectl([...words(line), ...more])
    expect({ line, exitCode }).toEqual({ line, exitCode: 1 })
    return stderr
  }
  const file = (name: string, text: string): string => {
    const at = join(emulator.directory, name)
    writeFileSync(at, text)
    return at
  }
  const read = (object: string, jsonPath: string): Promise<string> => ok(`get ${object} -o`, `jsonpath={${jsonPath}}`)
  const rolledOut = async (): Promise<void> => {
    expect(await ok('rollout status deployment/web --timeout=30s')).toContain('deployment "web" successfully rolled out\n')
  }

  beforeAll(async () => {
    emulator = await startTestEmulator()
    expect(await ok('create deployment web --image=kn.local/shell --replicas=2 -- sh -c', 'echo started; exec sleep 1000')).toBe(
      'deployment.apps/web created\n',
    )
    await rolledOut()
  })
  afterAll(() => emulator.close())

  test('create makes objects from flags and from files, once', async () => {
    const letter = file('letter.txt', 'dear reader\n')
    expect(await ok(`create configmap letters --from-file=${letter} --from-literal=a=1`)).toBe('configmap/letters created\n')
    expect(await read('cm/letters', ".data['letter\\.txt']")).toBe('dear reader\n')
    expect(await refused('create configmap letters')).toMatch(
      /^(Error from server \(AlreadyExists\)|error: failed to create configmap): .*configmaps "letters" already exists\n$/,
    )
    expect(await ok('create secret generic keys --from-literal=a=b')).toBe('secret/keys created\n')
    expect(await read('secret/keys', '.data.a')).toBe('Yg==')
    expect(await ok('create namespace shop')).toBe('namespace/shop created\n')
    expect(await ok('create role reader --verb=get,list --resource=pods,services.serving.knative.dev')).toBe(
      'role.rbac.authorization.k8s.io/reader created\n',
    )
    expect(await ok('create rolebinding readers --role=reader --user=jane')).toBe('rolebinding.rbac.authorization.k8s.io/readers created\n')
    expect(await ok(`create --dry-run=server -o name -f ${file('settings.yaml', SETTINGS)}`)).toBe('configmap/settings\n')
    expect(await refused('get cm settings')).toBe('Error from server (NotFound): configmaps "settings" not found\n')
  })

  test('get sorts, selects, and shows labels, columns and single values', async () => {
    await ok('create configmap b --from-literal=n=1')
    await ok('create configmap a --from-literal=n=2')
    await ok('label configmap a b sort=yes')
    expect(await ok('get cm -l sort=yes --sort-by=.data.n -o name')).toBe('configmap/b\nconfigmap/a\n')
    expect(await ok('get cm -l sort=yes -L sort --no-headers')).toMatch(/^a +1 +\d+s +yes\nb +1 +\d+s +yes\n$/)
    expect(await ok('get cm a --show-labels --no-headers')).toMatch(/^a +1 +\d+s +sort=yes\n$/)
    expect(await ok('get cm -l sort=yes -o custom-columns=NAME:.metadata.name,N:.data.n')).toBe('NAME   N\na      2\nb      1\n')
    expect(await ok('get cm --field-selector=metadata.name=b -o name')).toBe('configmap/b\n')
    expect(await ok('get cm -A --field-selector=metadata.name=b --no-headers')).toMatch(/^default +b +1 +\d+s\n$/)
    expect(await ok('get pods -l app=web --chunk-size=1 -o name')).toMatch(/^(pod\/web-\S+\n){2}$/)
    expect(await ok('get --raw /readyz')).toBe('ok')
    expect(await ok('delete cm -l sort=yes')).toMatch(/^configmap "a" deleted.*\nconfigmap "b" deleted.*\n$/)
    expect(await ok('get cm -l sort=yes -o name')).toBe('')
  })

  test('describe tells of a Deployment, a Pod, a Service, a Node and a namespace', async () => {
    const deployment = await ok('describe deployment web')
    expect(deployment).toMatch(/^Replicas: +2 desired \| 2 updated \| 2 total \| 2 available \| 0 unavailable$/m)
    expect(deployment).toMatch(/^ +Available +True +MinimumReplicasAvailable$/m)
    expect(deployment).toMatch(/Normal +ScalingReplicaSet +\S+ +deployment-controller +Scaled up replica set web-\S+ (from 0 )?to 2/)
    const pod = await ok('describe pods -l app=web')
    expect(pod).toMatch(/^Controlled By: +ReplicaSet\/web-/m)
    expect(pod).toMatch(/Normal +Scheduled +\S+ +default-scheduler +Successfully assigned default\/web-\S+ to kn-local/)
    expect(await ok('describe service kubernetes')).toMatch(/^TargetPort: +\d+\/TCP$/m)
    const node = await ok('describe node kn-local')
    expect(node).toMatch(/^ +Ready +True .* KubeletReady /m)
    expect(node).toMatch(/^ +default +web-\S+ +0 \(0%\)/m)
    expect(await ok('describe namespace default')).toMatch(/^Status: +Active$/m)
  })

  test('apply creates, leaves alone, changes and takes away, and diff shows it before', async () => {
    const at = file('settings.yaml', SETTINGS)
    const created = await kubectl(['diff', '-f', at])
    expect(created).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('+  mode: slow\n') })
    expect(await ok(`apply -f ${at} --dry-run=server`)).toBe('configmap/settings created (server dry run)\n')
    expect(await ok(`apply -f ${at}`)).toBe('configmap/settings created\n')
    expect(await ok(`apply -f ${at}`)).toBe('configmap/settings unchanged\n')
    expect(await kubectl(['diff', '-f', at])).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    file('settings.yaml', SETTINGS.replace('mode: slow', 'speed: "9"'))
    const changed = await kubectl(['diff', '-f', at])
    expect(changed).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/^- +mode: slow\n\+ +speed: "9"$/m) })
    expect(await ok(`apply -f ${at}`)).toBe('configmap/settings configured\n')
    expect(JSON.parse(await read('cm/settings', '.data'))).toEqual({ speed: '9' })
    expect(await ok(`apply view-last-applied cm/settings`)).toContain('speed: "9"')
  })

  test('edit hands the object to an editor, and cancels when nothing was changed', async () => {
    await ok(`apply -f ${file('settings.yaml', SETTINGS)}`)
    await ok(`apply -f ${file('hello.yaml', HELLO)}`)
    for (const [object, before, after, field] of [
      ['configmap/settings', 'mode: slow', 'mode: fast', '.data.mode'],
      ['service.serving.knative.dev/hello', 'timeoutSeconds: 300', 'timeoutSeconds: 200', '.spec.template.spec.timeoutSeconds'],
    ] as const) {
      expect(await kubectl(['edit', object], { EDITOR: 'true' })).toEqual({
        exitCode: 0,
        stdout: expect.stringMatching(/^Edit cancelled, no changes made\.\n$|^$/),
        stderr: expect.stringMatching(/^Edit cancelled, no changes made\.\n$|^$/),
      })
      expect(await kubectl(['edit', object], { EDITOR: `sed -i "s/^\\( *\\)${before}/\\1${after}/"` })).toMatchObject({
        exitCode: 0,
        stdout: `${object} edited\n`,
      })
      expect(await read(object, field)).toBe(after.split(': ')[1])
    }
    await ok('delete ksvc hello')
  })

  test('replace puts one object in the place of another, by force with a new one', async () => {
    await ok(`apply -f ${file('settings.yaml', SETTINGS)}`)
    const uid = await read('cm/settings', '.metadata.uid')
    const at = file('replaced.yaml', SETTINGS.replace('slow', 'new'))
    expect(await ok(`replace -f ${at}`)).toBe('configmap/settings replaced\n')
    expect(await read('cm/settings', '.metadata.uid')).toBe(uid)
    expect(await read('cm/settings', '.data.mode')).toBe('new')
    expect(await ok(`replace --force -f ${at}`)).toMatch(/configmap "settings" deleted.*\nconfigmap\/settings replaced\n$/)
    expect(await read('cm/settings', '.metadata.uid')).not.toBe(uid)
    expect(await refused(`replace -f ${file('ghost.yaml', SETTINGS.replace('settings', 'ghost'))}`)).toContain(
      'configmaps "ghost" not found',
    )
  })

  test('patch knows three types, of which custom resources have two', async () => {
    await ok('create configmap patched --from-literal=a=1')
    expect(await ok('patch cm patched -p', '{"data":{"b":"2"}}')).toBe('configmap/patched patched\n')
    expect(await ok('patch cm patched -p', '{"data":{"b":"2"}}')).toBe('configmap/patched patched (no change)\n')
    await ok('patch cm patched --type=merge -p', '{"data":{"a":null}}')
    await ok('patch cm patched --type=json -p', '[{"op":"move","from":"/data/b","path":"/data/c"}]')
    expect(JSON.parse(await read('cm/patched', '.data'))).toEqual({ c: '2' })
    expect(await refused('patch cm patched --type=json -p', '[{"op":"test","path":"/data/c","value":"3"}]')).toMatch(
      // The first in older releases, for every answer of 422 that names no object.
      /^The request is invalid\n$|the server rejected our request due to an error in our request/,
    )
    expect(await refused('patch crd widgets.example.com -p', '{}')).toContain('"widgets.example.com" not found')
    await ok(`apply -f ${file('hello.yaml', HELLO)}`)
    expect(await refused('patch ksvc hello -p', '{"metadata":{"labels":{"a":"b"}}}')).toMatch(
      /^error: application\/strategic-merge-patch\+json is not supported by serving\.knative\.dev\/v1, Kind=Service|\(UnsupportedMediaType\)/,
    )
    expect(await ok('patch ksvc hello --type=merge -p', '{"metadata":{"labels":{"a":"b"}}}')).toBe(
      'service.serving.knative.dev/hello patched\n',
    )
    await ok('delete ksvc hello')
  })

  test('label and annotate set, keep, change and take away', async () => {
    await ok('create configmap marked')
    for (const [verb, done, field] of [
      ['label', 'labeled', 'labels'],
      ['annotate', 'annotated', 'annotations'],
    ]) {
      // Some releases say "annotate".
      expect(`configmap/marked ${done}\n`).toContain((await ok(`${verb} cm marked a=1`)).trimEnd())
      expect(await refused(`${verb} cm marked a=2`)).toContain("'a' already has a value (1)")
      await ok(`${verb} cm marked a=2 --overwrite`)
      await ok(`${verb} cm marked a=2 --overwrite`)
      expect(await read('cm/marked', `.metadata.${field}.a`)).toBe('2')
      await ok(`${verb} cm marked a-`)
      expect(await read('cm/marked', `.metadata.${field}.a`)).toBe('')
    }
    expect(await refused('label cm marked a=-')).toContain('a valid label must be')
  })

  test('scale changes the size, if it is what one thinks; autoscale makes an autoscaler', async () => {
    expect(await ok('scale deployment/web --replicas=1')).toBe('deployment.apps/web scaled\n')
    await rolledOut()
    expect(await refused('scale deployment/web --current-replicas=5 --replicas=2')).toContain('xpected replicas to be 5, was 1')
    expect(await ok('autoscale deployment web --min=1 --max=2')).toBe('horizontalpodautoscaler.autoscaling/web autoscaled\n')
    expect(await read('hpa/web', '.spec.scaleTargetRef.name')).toBe('web')
    await ok('delete hpa web')
  })

  test('set and rollout: image, environment, resources, account; history, undo, restart, pause and resume', async () => {
    const container = '.spec.template.spec.containers[0]'
    expect(await ok('set env deployment/web A=b')).toBe('deployment.apps/web env updated\n')
    await rolledOut()
    expect(await ok('set env deployment/web --list')).toBe('# Deployment web, container shell\nA=b\n')
    expect(await ok('set resources deployment/web --limits=cpu=100m')).toBe('deployment.apps/web resource requirements updated\n')
    expect(await read('deployment/web', `${container}.resources.limits.cpu`)).toBe('100m')
    expect(await ok('set serviceaccount deployment/web default')).toBe('deployment.apps/web serviceaccount updated\n')
    await rolledOut()
    expect(await ok('rollout history deployment/web')).toMatch(
      /^deployment\.apps\/web ?\nREVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>\n3 +<none>\n/,
    )
    expect(await ok('rollout history deployment/web --revision=2')).toMatch(/A:\s+b/)

    expect(await ok('set image deployment/web shell=example.com/none')).toBe('deployment.apps/web image updated\n')
    expect((await kubectl(words('rollout status deployment/web --timeout=1s'))).exitCode).toBe(1)
    expect(await ok('rollout undo deployment/web')).toBe('deployment.apps/web rolled back\n')
    await rolledOut()
    expect(await read('deployment/web', `${container}.image`)).toBe('kn.local/shell')
    await ok('rollout undo deployment/web --to-revision=1')
    await rolledOut()
    expect(await read('deployment/web', `${container}.env`)).toBe('')

    const pods = await ok('get pods -l app=web -o name')
    expect(await ok('rollout restart deployment/web')).toBe('deployment.apps/web restarted\n')
    await rolledOut()
    await until(async () => !(await ok('get pods -l app=web -o name')).includes(pods.trim()) || undefined, 10_000, 'another Pod')
    expect(await ok('rollout pause deployment/web')).toBe('deployment.apps/web paused\n')
    expect(await refused('rollout pause deployment/web')).toContain('is already paused')
    expect(await ok('rollout resume deployment/web')).toBe('deployment.apps/web resumed\n')
  })

  test('expose makes a Service of a Deployment, run makes a Pod, and wait and logs see what it does', async () => {
    expect(await ok('expose deployment web --port=80 --target-port=8080 --name=front')).toBe('service/front exposed\n')
    expect(JSON.parse(await read('service/front', '.spec.selector'))).toEqual({ app: 'web' })
    expect(await ok('get service front --no-headers')).toMatch(/^front +ClusterIP +10\.\S+ +<none> +80\/TCP +\d+s\n$/)
    expect(await ok('expose deployment web --port=81 --type=LoadBalancer --name=open')).toBe('service/open exposed\n')
    expect(await ok('get service open --no-headers')).toMatch(/^open +LoadBalancer +10\.\S+ +<pending> +81:3\d{4}\/TCP +\d+s\n$/)
    await ok('delete service front open')

    expect(await ok('run once --image=kn.local/shell --restart=Never --command -- sh -c', 'echo one; echo two; sleep 1000')).toBe(
      'pod/once created\n',
    )
    expect(await ok('wait --for=condition=Ready pod/once --timeout=30s')).toBe('pod/once condition met\n')
    await until(async () => (await ok('logs once')) === 'one\ntwo\n' || undefined, 10_000, 'the log')
    expect(await ok('logs once --tail=1')).toBe('two\n')
    expect(await ok('logs once --timestamps --limit-bytes=30')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/)
    expect(await refused('logs once -c other')).toMatch(/container other is not valid for pod once/)
    expect(await refused('wait --for=condition=Never pod/once --timeout=1s')).toContain('timed out waiting for the condition on pods/once')
    expect(await ok('delete pod once --now')).toMatch(/^pod "once" deleted/)
    // To older ones, what is gone is an error.
    if (minor >= 27) expect(await ok('wait --for=delete pod/once --timeout=10s')).toBe('')
    expect(await refused('get pod once')).toContain('pods "once" not found')
  })

  test('delete by name, kind and file, leaves orphans if told to, and minds what is missing unless told otherwise', async () => {
    await ok('create deployment loose --image=kn.local/shell -- sh -c', 'exec sleep 1000')
    await ok('rollout status deployment/loose --timeout=30s')
    await ok('delete deployment loose --cascade=orphan')
    expect(await read('rs -l app=loose', '.items[*].metadata.ownerReferences')).toBe('')
    await ok('delete rs -l app=loose')
    await ok(`apply -f ${file('settings.yaml', SETTINGS)}`)
    expect(await ok(`delete -f ${join(emulator.directory, 'settings.yaml')}`)).toMatch(/^configmap "settings" deleted/)
    expect(await refused('delete cm settings')).toContain('configmaps "settings" not found')
    expect(await ok('delete cm settings --ignore-not-found')).toBe('')
    await ok('create secret generic one -n kube-public --from-literal=a=b')
    expect(await ok('delete secrets --all -n kube-public')).toMatch(/^secret "one" deleted/)
  })

  test('top says that there are no metrics', async () => {
    for (const what of ['nodes', 'pods']) expect(await refused(`top ${what}`)).toBe('error: Metrics API not available\n')
  })

  test('auth answers for oneself and for others', async () => {
    await ok('create role looker --verb=get --resource=pods')
    await ok('create rolebinding lookers --role=looker --user=john')
    expect(await ok('auth can-i create deployments')).toBe('yes\n')
    expect(await ok('auth can-i get pods --as=john')).toBe('yes\n')
    const no = await kubectl(words('auth can-i delete pods --as=john'))
    expect(no).toMatchObject({ exitCode: 1, stdout: 'no\n' })
    expect(await ok('auth can-i --list --as=john')).toMatch(/^pods +\[\] +\[\] +\[get\]$/m)
    // Before 1.28 it asks for the beta, which is gone.
    if (minor >= 28)
      expect(await ok('auth whoami -o', 'jsonpath={.status.userInfo.groups}')).toBe('["system:masters","system:authenticated"]')
    await ok('delete role,rolebinding looker lookers --ignore-not-found')
  })

  test('api-resources, api-versions, explain and cluster-info describe the server', async () => {
    expect(await ok('api-resources --namespaced=false --verbs=create -o name')).toContain(
      'customresourcedefinitions.apiextensions.k8s.io\n',
    )
    expect(await ok('api-resources --api-group=messaging.knative.dev --no-headers')).toMatch(
      /^channels +ch +messaging\.knative\.dev\/v1 +true +Channel$/m,
    )
    expect((await ok('api-versions')).split('\n')).toEqual(expect.arrayContaining(['apps/v1', 'eventing.knative.dev/v1', 'v1']))
    expect(await ok('explain configmap.data')).toMatch(/FIELD: +data/)
    expect(await refused('explain configmap.nothing')).toContain('field "nothing" does not exist')
    // It is printed in colour.
    expect((await ok('cluster-info')).replace(/\u001b\[[\d;]*m/g, '')).toMatch(
      new RegExp(`^Kubernetes (control plane|master) is running at https://127\\.0\\.0\\.1:${emulator.ports.control}\n`),
    )
  })

  test('cordon, taint and drain change the node and spare nothing that may go', async () => {
    const node = 'kn-local'
    expect(await ok(`cordon ${node}`)).toBe(`node/${node} cordoned\n`)
    expect(await ok(`cordon ${node}`)).toMatch(new RegExp(`^node/${node} (already cordoned|cordoned)`))
    expect(await ok('get nodes --no-headers')).toMatch(/^kn-local +Ready,SchedulingDisabled /)
    expect(await ok(`taint nodes ${node} a=b:NoSchedule`)).toBe(`node/${node} tainted\n`)
    expect(JSON.parse(await read(`node/${node}`, '.spec.taints'))).toContainEqual({ key: 'a', value: 'b', effect: 'NoSchedule' })
    expect(await ok(`taint nodes ${node} a-`)).toBe(`node/${node} untainted\n`)
    // Before a dry run on the server, older ones look at definitions of a version that is no more.
    const dryRun = minor >= 25 ? 'server' : 'client'
    const drained = await kubectl(words(`drain ${node} --ignore-daemonsets --force --dry-run=${dryRun}`))
    expect(drained).toMatchObject({
      exitCode: 0,
      stderr: expect.not.stringContaining('error'),
      stdout: expect.stringMatching(/evict\S* pod default\/web-\S+ \((server )?dry run\)/),
    })
    expect(await ok(`uncordon ${node}`)).toBe(`node/${node} uncordoned\n`)
    expect(await ok('get nodes --no-headers')).toMatch(/^kn-local +Ready /)
    expect(await ok('get pods -l app=web -o name')).toMatch(/^pod\/web-/)
  })

  test('events are listed for an object and by type', async () => {
    if (minor >= 26) {
      expect(await ok('events --for deployment/web')).toMatch(/Normal +ScalingReplicaSet +Deployment\/web +Scaled (up|down) replica set/)
      expect(await ok('events --types=Normal --no-headers')).toContain('ScalingReplicaSet')
    }
    expect(await ok('get events --field-selector=involvedObject.kind=Deployment,involvedObject.name=web')).toMatch(
      /ScalingReplicaSet +deployment\/web/,
    )
  })

  test('apply -k builds with kustomize first', async () => {
    const directory = join(emulator.directory, 'kustomized')
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'hello.yaml'), HELLO)
    writeFileSync(
      join(directory, 'kustomization.yaml'),
      'namePrefix: my-\nresources: [hello.yaml]\nconfigMapGenerator:\n  - name: made\n    literals: [a=1]\n',
    )
    expect(await ok(`kustomize ${directory}`)).toContain('name: my-hello\n')
    expect(await ok(`apply -k ${directory}`)).toMatch(
      /^configmap\/my-made-\w{10} created\nservice\.serving\.knative\.dev\/my-hello created\n$/,
    )
    await ok('wait --for=condition=Ready ksvc/my-hello --timeout=30s')
    expect(await ok(`delete -k ${directory}`)).toContain('service.serving.knative.dev "my-hello" deleted')
  })

  test('config shows where it points to, without the credential', async () => {
    expect((await ok('config current-context')).trim()).toBe('kn-emulator-test')
    const view = await ok('config view --minify')
    expect(view).toContain(`server: https://127.0.0.1:${emulator.ports.control}\n`)
    expect(view).not.toContain(emulator.token)
  })
})
