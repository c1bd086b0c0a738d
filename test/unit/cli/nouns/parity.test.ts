import { describe, expect, test } from 'vitest'
import type { Kind } from '../../../../src/apimachinery/kind.js'
import { enforced, refused, stored } from '../../../../src/apimachinery/parity.js'
import { parityOf, parityRows, paritySummary, parityView } from '../../../../src/cli/nouns/parity.js'
import type { KindParity } from '../../../../src/kinds/parity.js'
import { runKn } from '../run-kn.js'

const kind = (version: string): Kind => ({
  group: 'example.com',
  version,
  kind: 'Thing',
  plural: 'things',
  singular: 'thing',
  shortNames: ['th'],
  namespaced: true,
})
const text = { type: 'string' as const }
const thing = (version: string): KindParity => ({
  kind: kind(version),
  schema: { properties: { spec: { properties: { b: text, a: text, c: { properties: { x: text, y: text } } } } } },
  table: [...enforced('spec.b'), ...stored('nobody looks', 'spec.c.*'), ...refused('never', 'spec.a')],
})

describe('parity', () => {
  test('is listed by field, and counted by what each row speaks for', () => {
    expect(parityRows([thing('v1')])).toEqual([
      ['Thing', 'spec.a', 'refused', 'never'],
      ['Thing', 'spec.b', 'enforced', ''],
      ['Thing', 'spec.c.*', 'stored', 'nobody looks'],
    ])
    expect(paritySummary([thing('v1')])).toBe('4 fields of 1 kind: 1 enforced, 2 stored, 1 refused')
  })

  test('of a kind in two versions is told apart', () => {
    expect(parityRows([thing('v1'), thing('v2')]).map(([name]) => name)).toEqual([
      ...Array(3).fill('Thing.v1'),
      ...Array(3).fill('Thing.v2'),
    ])
  })

  test('names every field for programs', () => {
    expect(parityView([thing('v1')])).toEqual({
      counts: { enforced: 1, stored: 2, refused: 1 },
      kinds: [
        {
          apiVersion: 'example.com/v1',
          kind: 'Thing',
          fields: [
            { field: 'spec.b', state: 'enforced' },
            { field: 'spec.a', state: 'refused', note: 'never' },
            { field: 'spec.c.x', state: 'stored', note: 'nobody looks' },
            { field: 'spec.c.y', state: 'stored', note: 'nobody looks' },
          ],
        },
      ],
    })
  })

  test.each(['thing', 'Things', 'TH', 'things.example.com'])('knows a kind as %s', (name) => {
    expect(parityOf([thing('v1')], name)).toHaveLength(1)
    expect(parityOf([thing('v1')], `${name}x`)).toEqual([])
  })
})

describe('kn emulator parity', () => {
  const kn = (...argv: string[]) => runKn(['emulator', 'parity', ...argv], { HOME: '/nowhere' })

  test('prints a kind without any emulator', async () => {
    const { exitCode, stdout, stderr } = await kn('--kind', 'broker')
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const lines = stdout.split('\n')
    expect(lines[0]).toMatch(/^KIND +FIELD +STATE +NOTE$/)
    expect(lines[1]).toMatch(/^Broker +spec\.config\.address +stored +a ConfigMap has no address$/)
    expect(lines.at(-2)).toMatch(/^\d+ fields of 1 kind: \d+ enforced, \d+ stored, 0 refused$/)
  })

  test('prints JSON of everything, in which the counts are those of the fields', async () => {
    const { exitCode, stdout } = await kn('-o', 'json')
    expect(exitCode).toBe(0)
    const { counts, kinds } = JSON.parse(stdout) as {
      counts: Record<string, number>
      kinds: { kind: string; fields: { state: string; note?: string }[] }[]
    }
    const fields = kinds.flatMap((entry) => entry.fields)
    for (const [state, count] of Object.entries(counts)) expect(fields.filter((field) => field.state === state)).toHaveLength(count)
    expect(kinds.map((entry) => entry.kind)).toContain('Service')
  })

  test('refuses kinds and formats that it does not know', async () => {
    expect(await kn('--kind', 'constructor')).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('Error: unknown kind "constructor", it takes one of: Service, '),
    })
    expect((await kn('-o', 'yaml')).stderr).toContain(`invalid value "yaml" for output flag, it takes 'json'`)
  })
})
