import { expect, test } from 'vitest'
import { type FlagRule, goInteger, parseArguments } from '../../../src/cli/arguments.js'

const rules = {
  env: { type: 'option', char: 'e', multiple: true },
  tag: { type: 'option', multiple: true, delimiter: ',' },
  namespace: { type: 'option', char: 'n' },
  output: { type: 'option', char: 'o' },
  port: { type: 'option', char: 'p' },
  verbose: { type: 'boolean', char: 'v' },
  all: { type: 'boolean', char: 'A' },
  wait: { type: 'boolean', allowNo: true },
} satisfies Record<string, FlagRule>

const parsed = (...argv: string[]) => parseArguments(rules, argv)
const valuesOf = (...argv: string[]) => parsed(...argv).given.map(({ name, values }) => [name, ...values])
const errorOf = (...argv: string[]) => {
  try {
    parsed(...argv)
  } catch (error) {
    return (error as Error).message
  }
  return undefined
}

test("a flag's value is the next word even when that looks like a flag", () => {
  expect(valuesOf('--env', '--namespace', '-e', '-n')).toEqual([
    ['env', '--namespace'],
    ['env', '-n'],
  ])
})

test.each([
  [['-ojson'], [['output', 'json']]],
  [['-o=json'], [['output', 'json']]],
  [['-o', 'json'], [['output', 'json']]],
  [['--output=json=x'], [['output', 'json=x']]],
  [['--output='], [['output', '']]],
  [
    ['-vA'],
    [
      ['verbose', 'true'],
      ['all', 'true'],
    ],
  ],
  [
    ['-vnprod'],
    [
      ['verbose', 'true'],
      ['namespace', 'prod'],
    ],
  ],
  [['--verbose=false'], [['verbose', 'false']]],
  [['--no-wait'], [['wait', 'false']]],
  [['--wait'], [['wait', 'true']]],
])('%j is read as %j', (argv, expected) => {
  expect(valuesOf(...argv)).toEqual(expected)
})

test('words that are no flags are positionals wherever they stand, and everything after -- is one', () => {
  expect(parsed('a', '-v', 'b', '-', '--', '--wait', 'c').positionals).toEqual(['a', 'b', '-', '--wait', 'c'])
})

test('flags are told in the order of the command line', () => {
  expect(parsed('-e', 'B=1', '--tag', 'x', '--env', 'A=2').given.map(({ value }) => value)).toEqual(['B=1', 'x', 'A=2'])
})

test('values that split on commas follow the quoting rules of CSV, and others are taken verbatim', () => {
  expect(valuesOf('--tag', 'a,"b,c","d""e"', '--tag', '', '--env', 'X=a,b')).toEqual([
    ['tag', 'a', 'b,c', 'd"e'],
    ['tag'],
    ['env', 'X=a,b'],
  ])
})

test.each([
  [['--nope'], 'unknown flag: --nope'],
  [['--nope=1'], 'unknown flag: --nope'],
  [['-vx'], "unknown shorthand flag: 'x' in -x"],
  [['-xv'], "unknown shorthand flag: 'x' in -xv"],
  [['--port'], 'flag needs an argument: --port'],
  [['-p'], "flag needs an argument: 'p' in -p"],
  [['--=x'], 'bad flag syntax: --=x'],
  [['---x'], 'bad flag syntax: ---x'],
  [['--verbose=maybe'], 'invalid argument "maybe" for "-v, --verbose" flag: strconv.ParseBool: parsing "maybe": invalid syntax'],
  [['--tag', 'a"b'], 'invalid argument "a\\"b" for "--tag" flag: parse error on line 1, column 2: bare " in non-quoted field'],
])('%j is refused: %s', (argv, message) => {
  expect(errorOf(...argv)).toBe(message)
})

test.each([
  [['--wait', '--no-wait'], 'only one of --no-wait and --wait may be specified'],
  [['--wait=false'], 'use --no-wait instead of providing "false" to --wait'],
  [['--no-wait=false'], 'use --wait instead of providing "false" to --no-wait'],
])('%j is a problem of the pair: %s', (argv, problem) => {
  expect(parsed(...argv).pairProblem).toBe(problem)
})

test.each([
  ['10', 10],
  ['-3', -3],
  ['0x1f', 31],
  ['0o17', 15],
  ['017', 15],
  ['0b101', 5],
  ['1_000', 1000],
  ['0', 0],
])('the integer %s is %i, as Go reads it', (text, number) => {
  expect(goInteger(text)).toBe(number)
})

test.each(['', 'x', '1.5', '1e3', '08', '_1', '1_', '1__0', '0x'])('%j is no integer', (text) => {
  expect(() => goInteger(text)).toThrow(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
})
