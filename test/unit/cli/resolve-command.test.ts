import { expect, test } from 'vitest'
import { resolveCommand } from '../../../src/cli/resolve-command.js'

const resolved = (line: string) => resolveCommand(line.split(' ').filter(Boolean), 'kn')

test.each([
  ['service list', 'service list', []],
  ['ksvc ls', 'service list', []],
  ['services list', 'service list', []],
  ['--kubeconfig service service list -A', 'service list', ['--kubeconfig', 'service', '-A']],
  ['service --context=x list', 'service list', ['--context=x']],
  ['-h service list', 'service list', ['-h']],
  ['service create list --image x', 'service create', ['list', '--image', 'x']],
])('%j leads to the command %j', (line, path, rest) => {
  expect(resolved(line)).toEqual({ found: 'command', path, rest })
})

test('kn alone, groups and help are told apart', () => {
  expect(resolved('')).toEqual({ found: 'root', rest: [] })
  expect(resolved('--help')).toEqual({ found: 'root', rest: ['--help'] })
  expect(resolved('revisions')).toEqual({ found: 'group', path: 'revision', rest: [] })
  expect(resolved('help service create')).toEqual({ found: 'help', words: ['service', 'create'] })
})

test('an unknown top word is answered with what is near to it', () => {
  expect(() => resolved('rev')).toThrow('unknown command "rev" for "kn"\n\nDid you mean this?\n\trevision\n')
  expect(() => resolved('servce')).toThrow('unknown command "servce" for "kn"\n\nDid you mean this?\n\tservice\n')
  expect(() => resolved('xyzzy')).toThrow(/^unknown command "xyzzy" for "kn"$/)
})

test('an unknown word below a group names those that there are', () => {
  expect(() => resolved('route foo')).toThrow("unknown sub-command 'foo' for 'kn route'. Available sub-commands: describe, list")
})

test('a flag that is not known before the command takes the next word with it', () => {
  expect(() => resolved('--nope service list')).toThrow('unknown command "list" for "kn"')
  expect(resolved('service --nope list')).toMatchObject({ found: 'group', path: 'service' })
})
