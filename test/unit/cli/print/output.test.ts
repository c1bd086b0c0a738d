import { expect, test } from 'vitest'
import { listText, objectText } from '../../../../src/cli/print/output.js'
import { serviceKind } from '../../../../src/kinds/service/kind.js'

const service = {
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { uid: 'u', name: 'hello', namespace: 'default', managedFields: [{}], labels: { on: 'yes' } },
  status: { url: 'http://hello' },
  spec: { template: { spec: { containers: [] } } },
}

test('an object prints as JSON with four spaces, in the order of its Go type and without managedFields', async () => {
  const text = await objectText(serviceKind, service, { output: 'JSON' })
  expect(text).toContain(
    '{\n    "kind": "Service",\n    "apiVersion": "serving.knative.dev/v1",\n    "metadata": {\n        "name": "hello",\n',
  )
  expect(text.indexOf('"spec"')).toBeLessThan(text.indexOf('"status"'))
  expect(text).not.toContain('managedFields')
  expect(await objectText(serviceKind, service, { output: 'json', 'show-managed-fields': true })).toContain('managedFields')
})

test('a list prints with sorted keys, and says its kind even when it is empty', async () => {
  expect(JSON.parse(await listText(serviceKind, [], { output: 'json' }))).toEqual({
    apiVersion: 'serving.knative.dev/v1',
    items: [],
    kind: 'ServiceList',
  })
  const text = await listText(serviceKind, [service], { output: 'json' })
  expect(text.indexOf('"name"')).toBeLessThan(text.indexOf('"namespace"'))
  expect(text.indexOf('"metadata"')).toBeLessThan(text.indexOf('"spec"'))
})

test('YAML has sorted keys and quotes what YAML 1.1 would read as something else', async () => {
  expect(await objectText(serviceKind, service, { output: 'yaml' })).toMatch(
    /^apiVersion: serving\.knative\.dev\/v1\nkind: Service\nmetadata:\n {2}labels:\n {4}"on": "yes"\n/,
  )
})

test('-o name prints resource and name, one per line', async () => {
  expect(await listText(serviceKind, [service, service], { output: 'name' })).toBe('service.serving.knative.dev/hello\n'.repeat(2))
})

test('jsonpath takes its template after = or from --template, and missing keys print nothing', async () => {
  expect(await objectText(serviceKind, service, { output: 'jsonpath={.status.url}' })).toBe('http://hello')
  expect(await objectText(serviceKind, service, { output: 'jsonpath', template: '{.metadata.name}' })).toBe('hello')
  expect(await objectText(serviceKind, service, { output: 'jsonpath={.nope}', 'allow-missing-template-keys': true })).toBe('')
  await expect(objectText(serviceKind, service, { output: 'jsonpath={.nope}', 'allow-missing-template-keys': false })).rejects.toThrow(
    'nope is not found',
  )
  expect(JSON.parse(await objectText(serviceKind, service, { output: 'jsonpath-as-json={.metadata.name}' }))).toEqual(['hello'])
})

test('an unknown format is refused with all that there are', async () => {
  await expect(objectText(serviceKind, service, { output: 'wide' }, ['url'])).rejects.toThrow(
    'unable to match a printer suitable for the output format "wide", allowed formats are: go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,template,templatefile,url,yaml',
  )
  await expect(objectText(serviceKind, service, { output: 'go-template={{.kind}}' })).rejects.toThrow('not available in this kn')
})
