import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { createSeededRandom } from '../../../src/base/random.js'
import { parsePlainYaml } from '../../../src/client/plain-yaml.js'
import { A_KUBECONFIG, emulatorKubeconfig } from './kubeconfigs.js'

test.each([
  ['a kubeconfig of kubectl', A_KUBECONFIG],
  ['one that the emulator changed', stringify(JSON.parse(emulatorKubeconfig({ socket: '/run/api.sock' })))],
  ['comments, blank lines and a document mark', '---\n# hello\na: 1\n\n  # deeper\nb:\n  - x\n  - y: true\n    z: null\n'],
  ['quoted scalars', `a: "x: y"\nb: 'it''s'\nc: ""\nd: ~\ne: {}\nf: []\ng:\n`],
  ['words that only look like something else', 'a: yes\nb: 1.2.3\nc: 2026-01-01\nd: -x\ne: http://a:80/#x\nf: 0\ng: -12\nh: .hidden\n'],
  ['sequences in sequences of mappings', 'a:\n- b:\n  - c: 1\n    d: 2\n  - c: 3\n- e\n'],
])('%s is read as the YAML library reads it', (_, text) => {
  const plain = parsePlainYaml(text)
  expect(plain).toBeDefined()
  expect(plain).toEqual(parse(text))
})

test.each([
  'a: |\n  text\n',
  'a: &x 1\n',
  'a: [1, 2]\n',
  'a: {b: 1}\n',
  'a: !!str 1\n',
  'a: 0x1f\n',
  'a: 1.5\n',
  'a: 1e3\n',
  'a: b # comment\n',
  'a: b\n  continued\n',
  'a: 1\na: 2\n',
  'a: 1\n---\nb: 2\n',
  '\ta: 1\n',
  '? a\n: b\n',
  'a: "\\x41"\n',
  '"a": 1\n',
  'a:\n  - b\n c: 1\n',
  '__proto__: 1\n',
])('%j is left to the library', (text) => {
  expect(parsePlainYaml(text)).toBeUndefined()
})

test('whatever it reads of the library own output, it reads alike', () => {
  const random = createSeededRandom(7)
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random.float() * of.length)]!
  const scalars = [
    'x',
    'a b',
    'true',
    '12',
    12,
    true,
    null,
    '',
    '- x',
    'a: b',
    '#c',
    '1e5',
    '0o7',
    "it's",
    '"q"',
    'https://h:1/p',
    '*',
    'QUJD==',
    '~',
    'no',
    '0123',
    '.5',
  ]
  const make = (depth: number): unknown => {
    const kind = depth === 0 ? 0 : Math.floor(random.float() * 3)
    if (kind === 0) return pick(scalars)
    const count = Math.floor(random.float() * 4)
    if (kind === 1) return Array.from({ length: count }, () => make(depth - 1))
    return Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`${pick(['name', 'a-b', 'c.d/e', 'x_1'])}${index}`, make(depth - 1)]),
    )
  }
  let understood = 0
  for (let round = 0; round < 500; round++) {
    const text = stringify({ root: make(4) }, { indentSeq: round % 2 === 0, lineWidth: 0 })
    const plain = parsePlainYaml(text)
    if (plain === undefined) continue
    understood++
    expect(plain, text).toEqual(parse(text))
  }
  expect(understood).toBeGreaterThan(200)
})
