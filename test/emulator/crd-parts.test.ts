import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import type { CustomResourceDefinition, DefinedVersion } from '../../src/apimachinery/custom-resource.js'
import type { Kind } from '../../src/apimachinery/kind.js'
import type { Draft, KubeObject } from '../../src/apimachinery/object.js'
import type { Client } from '../../src/client/client.js'
import { configMapKind } from '../../src/kinds/core/configmap/kind.js'
import { customResourceDefinitionKind } from '../../src/kinds/core/customresourcedefinition/kind.js'
import { endpointsKind } from '../../src/kinds/core/endpoints/kind.js'
import { namespaceKind } from '../../src/kinds/core/namespace/kind.js'
import { coreServiceKind } from '../../src/kinds/core/service/kind.js'
import { test } from '../support/emulator.js'

interface Gadget extends KubeObject {
  spec?: { size?: number }
}
const gadgetKind: Kind<Gadget> = {
  group: 'example.com',
  version: 'v1',
  kind: 'Gadget',
  plural: 'gadgets',
  singular: 'gadget',
  namespaced: true,
}

const aVersion = (name: string, storage: boolean): DefinedVersion => ({
  name,
  served: true,
  storage,
  schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
})
const aDefinition = (more: Partial<CustomResourceDefinition['spec']> = {}): Draft<CustomResourceDefinition> => {
  const names = more.names ?? { plural: 'gadgets', kind: 'Gadget' }
  return {
    metadata: { name: `${names.plural}.example.com` },
    spec: { group: 'example.com', scope: 'Namespaced', versions: [aVersion('v1', true)], ...more, names },
  }
}
const patchFinalizers = (client: Client, name: string, finalizers: string[] | null, namespace = 'default') =>
  client.patch(gadgetKind, { namespace, name }, { type: 'application/merge-patch+json', body: { metadata: { finalizers } } })

test('a namespace that is deleted takes objects of user-defined kinds with it, and waits for their finalizers', async ({
  emulator,
  client,
}) => {
  await client.create(namespaceKind, { metadata: { name: 'shop' } })
  await client.create(customResourceDefinitionKind, aDefinition())
  await client.create(gadgetKind, { metadata: { namespace: 'shop', name: 'plain' } })
  await client.create(gadgetKind, { metadata: { namespace: 'shop', name: 'held', finalizers: ['example.com/hold'] } })
  await emulator.settled()
  await client.delete(namespaceKind, { name: 'shop' })
  await emulator.settled()
  expect((await client.list(gadgetKind, 'shop')).map(({ metadata }) => metadata.name)).toEqual(['held'])
  const { status } = await client.get(namespaceKind, { name: 'shop' })
  expect(status?.conditions?.find(({ type }) => type === 'NamespaceContentRemaining')?.message).toBe(
    'Some resources are remaining: gadgets.example.com has 1 resource instances',
  )
  await patchFinalizers(client, 'held', null, 'shop')
  await emulator.settled()
  expect(await client.find(namespaceKind, { name: 'shop' })).toBeUndefined()
})

test('objects of user-defined kinds own and are owned', async ({ emulator, client }) => {
  await client.create(customResourceDefinitionKind, aDefinition())
  await emulator.settled()
  const owner = await client.create(gadgetKind, { metadata: { namespace: 'default', name: 'owner' } })
  const ownerReferences = [{ apiVersion: 'example.com/v1', kind: 'Gadget', name: 'owner', uid: owner.metadata.uid! }]
  await client.create(configMapKind, { metadata: { namespace: 'default', name: 'child', ownerReferences } })
  await client.create(gadgetKind, { metadata: { namespace: 'default', name: 'child', ownerReferences } })
  await emulator.settled()
  expect(await client.find(configMapKind, { namespace: 'default', name: 'child' })).toBeDefined()
  await client.delete(gadgetKind, owner.metadata, { propagationPolicy: 'Background' })
  await emulator.settled()
  expect(await client.find(configMapKind, { namespace: 'default', name: 'child' })).toBeUndefined()
  expect(await client.list(gadgetKind)).toEqual([])
})

test('a deleted definition takes its objects with it, and may be made again', async ({ emulator, client }) => {
  await client.create(customResourceDefinitionKind, aDefinition())
  await client.create(gadgetKind, { metadata: { namespace: 'default', name: 'held', finalizers: ['example.com/hold'] } })
  const plain = await client.create(gadgetKind, { metadata: { namespace: 'default', name: 'plain' } })
  const ownerReferences = [{ apiVersion: 'example.com/v1', kind: 'Gadget', name: 'plain', uid: plain.metadata.uid! }]
  await client.create(configMapKind, { metadata: { namespace: 'default', name: 'of-plain', ownerReferences } })
  await emulator.settled()
  await client.delete(customResourceDefinitionKind, { name: 'gadgets.example.com' })
  await emulator.settled()
  expect((await client.list(gadgetKind)).map(({ metadata }) => metadata.name)).toEqual(['held'])
  await patchFinalizers(client, 'held', null)
  await emulator.settled()
  expect(await client.find(customResourceDefinitionKind, { name: 'gadgets.example.com' })).toBeUndefined()
  expect(await client.find(configMapKind, { namespace: 'default', name: 'of-plain' })).toBeUndefined()

  await client.create(customResourceDefinitionKind, aDefinition({ versions: [aVersion('v2', false), aVersion('v1', true)] }))
  expect(await client.list(gadgetKind)).toEqual([])
  const again = await client.create(gadgetKind, { metadata: { namespace: 'default', name: 'plain' } })
  expect(again.metadata.generation).toBe(1)
})

test('a definition whose version is not served any more still takes its objects with it', async ({ emulator, client }) => {
  const made = await client.create(customResourceDefinitionKind, aDefinition())
  await client.create(gadgetKind, { metadata: { namespace: 'default', name: 'a' } })
  await client.update(customResourceDefinitionKind, {
    ...made,
    spec: { ...made.spec, versions: [{ ...aVersion('v1', true), served: false }] },
  })
  await client.delete(customResourceDefinitionKind, made.metadata)
  await emulator.settled()
  expect(await client.find(customResourceDefinitionKind, made.metadata)).toBeUndefined()
  await client.create(customResourceDefinitionKind, aDefinition())
  expect(await client.list(gadgetKind)).toEqual([])
})

test('names that were taken are accepted once their owner has gone', async ({ emulator, client }) => {
  await client.create(customResourceDefinitionKind, aDefinition())
  const names = { plural: 'widgets', kind: 'Gadget', listKind: 'WidgetList', singular: 'widget' }
  const second = await client.create(customResourceDefinitionKind, aDefinition({ names }))
  expect(second.status?.conditions?.[0]).toMatchObject({ status: 'False', reason: 'KindConflict' })
  await client.delete(customResourceDefinitionKind, { name: 'gadgets.example.com' })
  await emulator.settled()
  const { status } = await client.get(customResourceDefinitionKind, second.metadata)
  expect(status?.conditions).toMatchObject([
    { type: 'NamesAccepted', status: 'True' },
    { type: 'Established', status: 'True', reason: 'InitialNamesAccepted' },
  ])
})

describe('a conversion webhook behind a Service', () => {
  const tls = (file: string): string => readFileSync(join(process.cwd(), 'test', 'fixtures', 'tls', file), 'utf8')

  test('is found through its endpoints, and a URL reaches one as well; what is in the way is told', async ({ client }) => {
    const asked: (string | undefined)[] = []
    const server = createServer({ key: tls('server.key'), cert: tls('server.crt') }, (request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        asked.push(`${request.url}`)
        const { uid, objects, desiredAPIVersion } = JSON.parse(body).request
        const convertedObjects = objects.map((object: Gadget) => ({ ...object, apiVersion: desiredAPIVersion, spec: { size: 7 } }))
        response.setHeader('Content-Type', 'application/json')
        response.end(
          JSON.stringify({
            apiVersion: 'apiextensions.k8s.io/v1',
            kind: 'ConversionReview',
            response: { uid, result: { status: 'Success' }, convertedObjects },
          }),
        )
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    try {
      await client.create(
        customResourceDefinitionKind,
        aDefinition({
          versions: [aVersion('v1', true), aVersion('v2', false)],
          conversion: {
            strategy: 'Webhook',
            webhook: {
              clientConfig: {
                service: { namespace: 'default', name: 'convert', path: '/gadgets' },
                caBundle: Buffer.from(tls('ca.crt')).toString('base64'),
              },
              conversionReviewVersions: ['v1'],
            },
          },
        }),
      )
      await client.create(gadgetKind, { metadata: { namespace: 'default', name: 'a' } })
      const read = () => client.get({ ...gadgetKind, version: 'v2' }, { namespace: 'default', name: 'a' })
      await expect(read()).rejects.toThrow(
        'conversion webhook for example.com/v1, Kind=Gadget failed: Post "https://convert.default.svc:443/gadgets?timeout=30s": service "convert" not found',
      )

      await client.create(coreServiceKind, {
        metadata: { namespace: 'default', name: 'convert' },
        spec: { ports: [{ port: 443, targetPort: port }] },
      })
      await expect(read()).rejects.toThrow('no endpoints available for service "convert"')

      await client.create(endpointsKind, {
        metadata: { namespace: 'default', name: 'convert' },
        subsets: [{ addresses: [{ ip: '127.0.0.1' }], ports: [{ port }] }],
      } as never)
      // The certificate of the fixture is for another name: that is told, and nothing is converted.
      await expect(read()).rejects.toThrow(
        /Post "https:\/\/convert\.default\.svc:\d+\/gadgets\?timeout=30s": tls: failed to verify certificate: x509: certificate is valid for localhost, .*, not convert\.default\.svc$/,
      )
      expect(asked).toEqual([])

      const definition = await client.get(customResourceDefinitionKind, { name: 'gadgets.example.com' })
      const clientConfig = { url: `https://127.0.0.1:${port}/convert`, caBundle: Buffer.from(tls('ca.crt')).toString('base64') }
      await client.update(customResourceDefinitionKind, {
        ...definition,
        spec: { ...definition.spec, conversion: { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } } },
      })
      expect(await read()).toMatchObject({ apiVersion: 'example.com/v2', spec: { size: 7 } })
      expect(asked).toEqual(['/convert?timeout=30s'])
    } finally {
      server.close()
      server.closeAllConnections()
    }
  })
})
