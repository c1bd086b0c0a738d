import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/daemon.js'
import { run, startTestEmulator } from '../support/emulator.js'
import { findOldestAndNewest } from '../support/kubectl.js'

const FIXTURES = join(process.cwd(), 'test', 'fixtures', 'crd')
const DEFINITION = join(FIXTURES, 'widgets.yaml')
const WIDGET = join(FIXTURES, 'widget.yaml')
const NEITHER = '{"metadata":{"finalizers":null}}'

describe.each(findOldestAndNewest())('kubectl $version', ({ path, version }) => {
  let emulator: Awaited<ReturnType<typeof startTestEmulator>>
  const kubectl = async (...args: string[]) => run(path, args, emulator.env)
  const ok = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await kubectl(...args)
    expect({ args, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ args, exitCode: 0, stderr: '' })
    return stdout
  }
  const isAtLeast = (minor: number): boolean => Number(/^v1\.(\d+)/.exec(version)![1]) >= minor
  const file = (name: string, text: string): string => {
    const at = join(emulator.directory, name)
    writeFileSync(at, text)
    return at
  }
  const widgetFile = (name: string, spec: string): string =>
    file(`${name}.yaml`, `apiVersion: shop.example.com/v1\nkind: Widget\nmetadata:\n  name: ${name}\nspec: ${spec}\n`)

  beforeAll(async () => {
    emulator = await startTestEmulator()
    // Discovery is in kubectl's cache before the kind exists.
    await ok('api-resources')
  })
  afterAll(async () => {
    await emulator.close()
  })

  test('a definition can be applied, waited for, and its kind used by short name, with its columns', async () => {
    expect(await ok('apply', '-f', DEFINITION)).toBe('customresourcedefinition.apiextensions.k8s.io/widgets.shop.example.com created\n')
    await ok('wait', '--for=condition=Established', 'crd/widgets.shop.example.com', '--timeout=10s')
    expect(await ok('apply', '-f', WIDGET)).toBe('widget.shop.example.com/one created\n')
    expect(await ok('get', 'wg')).toMatch(/^NAME +COLOR +PHASE +AGE\none +red +\d+s\n$/)
    expect(await ok('get', 'wg', '-o', 'wide')).toMatch(/^NAME +COLOR +SIZE +PHASE +AGE\none +red +3 +\d+s\n$/)
    expect(await ok('get', 'wg', 'one', '-o', 'jsonpath={.spec.size}')).toBe('3')
    expect(await ok('get', 'shop', '-o', 'name')).toBe('widget.shop.example.com/one\n')
    expect(await ok('apply', '-f', WIDGET)).toBe('widget.shop.example.com/one unchanged\n')
  })

  test('get crd lists it beside Knative’s own kinds', async () => {
    const text = await ok('get', 'crd')
    expect(text).toMatch(/^NAME +CREATED AT\n/)
    expect(text).toMatch(/^widgets\.shop\.example\.com +\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/m)
    expect(text).toMatch(/^services\.serving\.knative\.dev +/m)
    expect(await ok('get', 'crd', '-l', 'duck.knative.dev/podspecable=true', '-o', 'name')).toContain(
      'customresourcedefinition.apiextensions.k8s.io/services.serving.knative.dev\n',
    )
  })

  test('Knative’s own definitions can be neither changed nor deleted', async () => {
    const deleted = await kubectl('delete', 'crd', 'services.serving.knative.dev')
    expect(deleted.stderr).toBe(
      'Error from server (Forbidden): customresourcedefinitions.apiextensions.k8s.io "services.serving.knative.dev" is forbidden: this kind is served by the program itself; its definition can be read, but not changed or deleted\n',
    )
    expect((await kubectl('label', 'crd', 'services.serving.knative.dev', 'a=b')).stderr).toContain('is forbidden')
  })

  test('explain knows the fields of the definition', async () => {
    expect(await ok('explain', 'widgets.spec.color')).toMatch(/What it looks like/)
  })

  test('what does not fit the schema is refused with every finding', async () => {
    const refused = await kubectl('create', '-f', widgetFile('bad', '{ color: pink, size: 0 }'))
    expect(refused.stderr).toContain('The Widget "bad" is invalid:')
    expect(refused.stderr).toContain('spec.color: Unsupported value: "pink": supported values: "red", "green", "blue"')
    expect(refused.stderr).toContain('spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1')
    const unknown = await kubectl('create', '-f', widgetFile('unknown', '{ color: red, colour: red }'))
    expect(unknown.exitCode).toBe(1)
    expect(unknown.stderr).toMatch(/unknown field "(spec\.)?colour"/)
  })

  test('rules in CEL are evaluated', async () => {
    const refused = await kubectl('create', '-f', widgetFile('many', '{ color: red, replicas: 5, maxReplicas: 2 }'))
    expect(refused.stderr).toContain('spec.replicas: Invalid value: "object": replicas 5 exceeds 2')
    const heavy = await kubectl('create', '-f', widgetFile('heavy', '{ color: red, parts: [{ name: a, weight: 100 }] }'))
    expect(heavy.stderr).toContain('spec: Invalid value: "object": failed rule: !has(self.parts) || self.parts.all(p, p.weight < 100)')
  })

  test('status and scale are subresources', async () => {
    expect(await ok('scale', 'wg/one', '--replicas=4')).toBe('widget.shop.example.com/one scaled\n')
    expect(await ok('get', 'wg', 'one', '-o', 'jsonpath={.spec.replicas}')).toBe('4')
    if (isAtLeast(24)) {
      await ok('patch', 'wg', 'one', '--subresource=status', '--type=merge', '-p', '{"status":{"phase":"Sold"}}')
      expect(await ok('get', 'wg')).toMatch(/one +red +Sold /)
    }
  })

  test('fields that the definition names can be selected', async () => {
    expect(await ok('get', 'wg', '--field-selector', 'spec.color=red', '-o', 'name')).toBe('widget.shop.example.com/one\n')
    expect(await ok('get', 'wg', '--field-selector', 'spec.color=blue', '-o', 'name')).toBe('')
  })

  test('another version shows the same objects and tells that it is deprecated', async () => {
    const { exitCode, stdout, stderr } = await kubectl(
      'get',
      'widgets.v1beta1.shop.example.com',
      'one',
      '-o',
      'jsonpath={.apiVersion} {.spec.color}',
    )
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'shop.example.com/v1beta1 red' })
    expect(stderr).toContain('Warning: shop.example.com/v1beta1 Widget is deprecated')
  })

  test('a deleted definition waits for finalizers of its instances, makes no new ones, and takes the kind with it', async () => {
    await ok('patch', 'wg', 'one', '--type=merge', '-p', '{"metadata":{"finalizers":["shop.example.com/audit"]}}')
    await ok('delete', 'crd', 'widgets.shop.example.com', '--wait=false')
    await until(async () =>
      (await ok('get', 'crd', 'widgets.shop.example.com', '-o', 'jsonpath={.status.conditions[?(@.type=="Terminating")].reason}')) ===
      'InstanceDeletionInProgress'
        ? true
        : undefined,
    )
    const refused = await kubectl('create', '--validate=false', '-f', widgetFile('late', '{ color: red }'))
    expect(refused.stderr).toContain('create not allowed while custom resource definition is terminating')
    await ok('patch', 'wg', 'one', '--type=merge', '-p', NEITHER)
    await until(async () => ((await kubectl('get', 'crd', 'widgets.shop.example.com')).exitCode === 1 ? true : undefined))
    expect((await kubectl('get', 'widgets')).stderr).toMatch(
      /the server (doesn't have a resource type "widgets"|could not find the requested resource)/,
    )
  })
})
