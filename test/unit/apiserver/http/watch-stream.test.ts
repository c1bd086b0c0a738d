import { expect, test } from 'vitest'
import type { WatchEvent } from '../../../../src/apimachinery/call.js'
import { refusals } from '../../../../src/apimachinery/status-error.js'
import { streamWatch, type WatchOutput } from '../../../../src/apiserver/http/watch-stream.js'
import type { ApiServer } from '../../../../src/apiserver/server.js'
import { createSilentLogger } from '../../../../src/base/logger.js'
import { alice } from '../support.js'

const call = { user: alice, verb: 'watch', group: '', version: 'v1', plural: 'notes' } as const

/** A watch that the test tells what happens, and an output that keeps what it is sent. */
function aStream(options: { isFull?: () => boolean; textOf?: (event: WatchEvent) => string } = {}) {
  const sent: string[] = []
  let tell: (event: WatchEvent) => void = () => {}
  let end: (error?: unknown) => void = () => {}
  let drained: () => void = () => {}
  const state = { isOpen: false, isEnded: false, isStopped: false }
  const output: WatchOutput = {
    open: () => void (state.isOpen = true),
    get isFull() {
      return options.isFull?.() ?? false
    },
    get isClosed() {
      return state.isEnded
    },
    send: (events) => void sent.push(...events),
    onDrain: (listener) => void (drained = listener),
    onClose: () => {},
    end: () => void (state.isEnded = true),
  }
  const server: Pick<ApiServer, 'watch'> = {
    watch(_call, onEvent, onEnd) {
      tell = onEvent
      end = onEnd
      return () => void (state.isStopped = true)
    },
  }
  const textOf = options.textOf ?? (({ type, object }) => `${type} ${'code' in object ? object.code : ''}`.trim())
  streamWatch({ server: server as ApiServer, call, output, textOf, log: createSilentLogger() })
  const added = { type: 'ADDED', object: { metadata: { name: 'n' } } } as WatchEvent
  return { sent, state, tell: () => tell(added), end: (error?: unknown) => end(error), drain: () => drained() }
}

const settled = (): Promise<void> => Promise.resolve()

test('what ends a watch in the middle is told in a Status, behind everything that came before', async () => {
  const { sent, state, tell, end } = aStream()
  tell()
  tell()
  end(refusals.expired('too old resource version: 1 (2)'))
  await settled()
  expect(sent).toEqual(['ADDED', 'ADDED', 'ERROR 410'])
  expect(state).toMatchObject({ isOpen: true, isEnded: true })
})

test('a watch that ends well says nothing', async () => {
  const { sent, state, end } = aStream()
  end()
  await settled()
  expect([sent, state.isEnded]).toEqual([[], true])
})

test('events wait unspelled while the reader is slow, and the watch is over when too many do', async () => {
  let isFull = true
  let spelled = 0
  const { sent, state, tell, drain } = aStream({ isFull: () => isFull, textOf: () => `${++spelled}` })
  for (let index = 0; index < 5000; index++) tell()
  await settled()
  expect([spelled, state.isEnded]).toEqual([0, false])
  isFull = false
  drain()
  expect(sent).toHaveLength(5000)
  isFull = true
  for (let index = 0; index < 5001; index++) tell()
  expect([sent.length, state.isEnded, state.isStopped]).toEqual([5000, true, true])
})

test('an event that cannot be spelled ends the watch with a Status', async () => {
  const { sent, state, tell } = aStream({
    textOf(event) {
      if (event.type === 'ADDED') throw new Error('odd')
      return event.type
    },
  })
  tell()
  await settled()
  expect([sent, state.isEnded, state.isStopped]).toEqual([['ERROR'], true, true])
})
