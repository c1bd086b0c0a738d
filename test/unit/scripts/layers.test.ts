import { expect, test } from 'vitest'
import { violationsIn } from '../../../scripts/layers.mjs'

test('an import that points down the list of rooms is named with its line', () => {
  const text = "import { a } from '../base/a.js'\nimport { b } from '../gateway/b.js'\n"
  expect(violationsIn('src/kinds/x.ts', text)).toEqual(['src/kinds/x.ts:2: kinds may not import gateway'])
})

test('a kind may take types from the runtime, but no code', () => {
  expect(violationsIn('src/kinds/core/pod/x.ts', "import type { Runtime } from '../../../runtime/runtime.js'")).toEqual([])
  expect(violationsIn('src/kinds/core/pod/x.ts', "import { probe } from '../../../runtime/probe.js'")).toHaveLength(1)
})

test('the gateway knows kinds by their names and schemas only', () => {
  expect(violationsIn('src/gateway/x.ts', "import { podKind } from '../kinds/core/pod/kind.js'")).toEqual([])
  expect(violationsIn('src/gateway/x.ts', "import { f } from '../kinds/core/pod/reconcile.js'")).toHaveLength(1)
})

test('timers, the time of day and child processes are refused where they do not belong', () => {
  expect(violationsIn('src/gateway/x.ts', 'setTimeout(() => {}, 1)')).toHaveLength(1)
  expect(violationsIn('src/gateway/x.ts', 'const now = Date.now()')).toHaveLength(1)
  expect(violationsIn('src/gateway/x.ts', 'const then = new Date(ms)')).toEqual([])
  expect(violationsIn('src/gateway/x.ts', "import { spawn } from 'node:child_process'")).toHaveLength(1)
  expect(violationsIn('src/runtime/process.ts', "import { spawn } from 'node:child_process'")).toEqual([])
})

test('lazy imports are held to the same rules', () => {
  expect(violationsIn('src/store/x.ts', "const m = await import('../apiserver/server.js')")).toHaveLength(1)
})

test('a built-in plugin knows the command line, the client and the names of kinds, as one from outside would', () => {
  expect(violationsIn('src/plugins/x/y.ts', "import { routeKind } from '../../kinds/route/kind.js'")).toEqual([])
  expect(violationsIn('src/plugins/x/y.ts', "import { planTraffic } from '../../kinds/route/traffic.js'")).toHaveLength(1)
  expect(violationsIn('src/plugins/x/y.ts', "const m = await import('../../emulator/instance.js')")).toHaveLength(1)
  expect(violationsIn('src/plugins/x/y.ts', "import { KnCommand } from '../../cli/kn-command.js'")).toEqual([])
})
