import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

/**
 * How many rules each section of a table's source has. The sources are digests of public documentation and code; a rule is one
 * statement of theirs, a row of a table (`2.2 table`) or a paragraph (`3.2 text`). Of Eventing, sources and sinks are left out. A table
 * that is not named here yet is being written: what it claims is checked all the same.
 */
const RULES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'kube-api.tsv': {
    '0': 10,
    '1.1': 4,
    '1.2': 4,
    '1.3': 5,
    '1.4': 2,
    '1.5': 4,
    '1.6': 4,
    '2.1': 7,
    '2.2': 3,
    '2.2 table': 21,
    '2.3': 11,
    '2.4': 6,
    '3.1 table': 8,
    '3.2 text': 1,
    '3.3': 2,
    '3.4': 7,
    '3.5 text': 1,
    '3.6': 4,
    '4.1 text': 1,
    '4.1': 2,
    '4.2 text': 1,
    '4.3': 3,
    '4.4': 8,
    '5': 9,
    '6': 12,
    '7': 17,
    '9': 5,
    '12': 5,
  },
  'eventing.tsv': {
    '0.1': 7,
    '0.2': 3,
    '0.3': 3,
    '0.4': 7,
    '0.5': 6,
    '0.6': 5,
    '1.1': 4,
    '1.2': 3,
    '1.3': 14,
    '1.4': 11,
    '1.5': 4,
    '1.6': 5,
    '1.7': 5,
    '1.8': 10,
    '2.1': 3,
    '2.1 table': 15,
    '2.2': 4,
    '2.3': 3,
    '2.4': 2,
    '2.5': 2,
    '2.6': 3,
    '3.1': 3,
    '3.2': 5,
    '3.2 table': 5,
    '3.3': 6,
    '3.3 table': 6,
    '4.1': 3,
    '4.2': 6,
    '4.3': 5,
    '4.4': 4,
    '4.5': 1,
    '5.1': 7,
    '5.2': 5,
    '5.3': 4,
    '7.1': 7,
    '7.2': 14,
    '7.3': 3,
    '8': 1,
    '8.1': 3,
  },
}

const DIRECTORY = 'docs/rules'
const HEADER = 'section\tordinal\trule\theld by'
const DIFFERENCE = 'difference: '

interface Row {
  section: string
  ordinal: number
  rule: string
  heldBy: string[]
}

function rowsOf(text: string): Row[] {
  const [header, ...lines] = text.trimEnd().split('\n')
  expect(header).toBe(HEADER)
  return lines.map((line) => {
    const [section = '', ordinal = '', rule = '', heldBy = '', ...rest] = line.split('\t')
    expect({ line, rest, isWhole: section !== '' && rule !== '' && heldBy !== '' }).toEqual({ line, rest: [], isWhole: true })
    return { section, ordinal: Number(ordinal), rule, heldBy: heldBy.split(' ; ') }
  })
}

/** First cells of the tables in a Markdown text. */
function firstCells(markdown: string): Set<string> {
  const rows = markdown.split('\n').filter((line) => line.startsWith('| '))
  return new Set(rows.map((line) => line.slice(2).split(' | ', 1)[0]!.trim()))
}

/** What is wrong with a claim that a rule is held; undefined when it is. */
function problemWith(claim: string, files: (path: string) => string | undefined, differences: ReadonlySet<string>): string | undefined {
  if (claim.startsWith(DIFFERENCE)) {
    const what = claim.slice(DIFFERENCE.length)
    return differences.has(what) ? undefined : `docs/differences.md has no row ${JSON.stringify(what)}`
  }
  const at = claim.indexOf(' > ')
  if (at < 0) return `${JSON.stringify(claim)} names no test`
  const [path, name] = [claim.slice(0, at), claim.slice(at + 3)]
  const text = path.startsWith('test/') ? files(path) : undefined
  if (text === undefined) return `there is no ${path}`
  const quoted = ["'", '"', '`'].some((quote) => text.includes(`${quote}${name}${quote}`))
  return quoted ? undefined : `${path} has no test ${JSON.stringify(name)}`
}

const read = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, 'utf8') : undefined)
const differences = firstCells(readFileSync('docs/differences.md', 'utf8'))

describe.each(Object.entries(RULES))('%s', (name, sections) => {
  test('has one row for each rule of its source', () => {
    const rows = rowsOf(readFileSync(`${DIRECTORY}/${name}`, 'utf8'))
    const wanted = Object.entries(sections).flatMap(([section, count]) =>
      Array.from({ length: count }, (_, index) => `${section} ${index + 1}`),
    )
    const found = rows.map(({ section, ordinal }) => `${section} ${ordinal}`)
    expect(found.filter((rule) => !wanted.includes(rule))).toEqual([])
    expect(wanted.filter((rule) => !found.includes(rule))).toEqual([])
  })
})

describe.each(readdirSync(DIRECTORY))('%s', (name) => {
  const rows = rowsOf(readFileSync(`${DIRECTORY}/${name}`, 'utf8'))

  test('has no rule twice', () => {
    const found = rows.map(({ section, ordinal }) => `${section} ${ordinal}`)
    expect(found.filter((rule, index) => found.indexOf(rule) !== index)).toEqual([])
  })

  test('names, for each rule, tests that exist or differences that are told', () => {
    const problems = rows.flatMap(({ section, ordinal, heldBy }) =>
      heldBy.flatMap((claim) => {
        const problem = problemWith(claim, read, differences)
        return problem ? [`${section} ${ordinal}: ${problem}`] : []
      }),
    )
    expect(problems).toEqual([])
  })
})

test('a claim is held against what is there', () => {
  const files = (path: string): string | undefined => (path === 'test/a.test.ts' ? "test('it works', () => {})" : undefined)
  const known = new Set(['Pod IPs'])
  expect(problemWith('test/a.test.ts > it works', files, known)).toBeUndefined()
  expect(problemWith('test/a.test.ts > it work', files, known)).toBe('test/a.test.ts has no test "it work"')
  expect(problemWith('test/b.test.ts > it works', files, known)).toBe('there is no test/b.test.ts')
  expect(problemWith('src/a.ts > it works', files, known)).toBe('there is no src/a.ts')
  expect(problemWith('it works', files, known)).toBe('"it works" names no test')
  expect(problemWith('difference: Pod IPs', files, known)).toBeUndefined()
  expect(problemWith('difference: Pods', files, known)).toBe('docs/differences.md has no row "Pods"')
})
