import { expect, test } from 'vitest'
import type { Logger } from '../../../../src/base/logger.js'
import { createMemoryStore } from '../../../../src/store/memory.js'
import { StorageError } from '../../../../src/store/store.js'
import { aWidget, aWorld, widgetServed } from '../support.js'
import { anHttpWorld } from './support.js'

function aRecordingLogger(): { log: Logger; errors: { message: string; fields: unknown }[] } {
  const errors: { message: string; fields: unknown }[] = []
  const log: Logger = {
    debug() {},
    info() {},
    warn() {},
    error: (message, fields) => void errors.push({ message, fields }),
    with: () => log,
  }
  return { log, errors }
}

test('a bug of ours is answered with 500 and one line in the log, and the server goes on', async () => {
  const { log, errors } = aRecordingLogger()
  const broken = { ...widgetServed, validate: () => (undefined as never as { length: 0 }[])[0] as never }
  const { http } = await anHttpWorld({ log, kinds: [broken] as never })
  const failed = await http('/apis/shop.example.dev/v1/namespaces/shop/widgets', { method: 'POST', body: aWidget('secret-name') })
  expect([failed.status, failed.json()]).toMatchObject([
    500,
    { reason: 'InternalError', message: 'Internal error occurred: the request could not be answered' },
  ])
  expect(errors).toHaveLength(1)
  expect(errors[0]).toMatchObject({ message: 'a request failed', fields: { method: 'POST', error: expect.any(TypeError) } })
  expect((await http('/healthz')).status).toBe(200)
})

test('a disk that refuses is told to the client in its own words, and nothing is stored', async () => {
  const memory = createMemoryStore()
  let full = false
  const store = {
    ...memory,
    get version() {
      return memory.version
    },
    write: ((key, decide) =>
      full ? Promise.reject(new StorageError('ENOSPC', 'no space left on /data')) : memory.write(key, decide)) as typeof memory.write,
  }
  const { ask, refusal } = await aWorld({ store })
  await ask({ verb: 'create', object: aWidget('a') })
  full = true
  expect((await refusal({ verb: 'create', object: aWidget('b') })).status).toMatchObject({
    code: 500,
    reason: 'InternalError',
    message: 'Internal error occurred: no space left on /data',
  })
  full = false
  await ask({ verb: 'create', object: aWidget('b') })
  expect(await ask({ verb: 'get', name: 'b' })).toMatchObject({ metadata: { name: 'b' } })
})
