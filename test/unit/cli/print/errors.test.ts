import { expect, test } from 'vitest'
import { refusals } from '../../../../src/apimachinery/status-error.js'
import { UserError } from '../../../../src/base/user-error.js'
import { exitCodeFor } from '../../../../src/cli/print/errors.js'
import { aWorld } from '../world.js'

function told(error: unknown, isTerminal = false): { exitCode: number; stderr: string } {
  const world = aWorld({ isTerminal })
  return { exitCode: exitCodeFor(error, world), stderr: world.stderr.text }
}

test("the server's own words go through unchanged", () => {
  expect(told(refusals.notFound({ group: 'serving.knative.dev', plural: 'services' }, 'x'))).toEqual({
    exitCode: 1,
    stderr: `Error: services.serving.knative.dev "x" not found\nRun 'kn --help' for usage\n`,
  })
})

test('the usage hint names the command that the message quotes', () => {
  expect(told(new UserError({ code: 'usage', what: "unknown flag: --x for 'kn service create'" })).stderr).toContain(
    "\nRun 'kn service create --help' for usage\n",
  )
})

test('a leading error: is told once', () => {
  expect(told(new UserError({ code: 'usage', what: 'error: no' })).stderr).toMatch(/^Error: no\n/)
})

test('remedies are for terminals, but a job without a kubeconfig gets them as well', () => {
  const error = (code: string) => new UserError({ code, what: 'no', why: 'because', remedies: ['kn emulator start'] })
  expect(told(error('usage')).stderr).toBe("Error: no: because\nRun 'kn --help' for usage\n")
  expect(told(error('usage'), true).stderr).toContain('  kn emulator start\n')
  expect(told(error('no-kubeconfig')).stderr).toContain('  kn emulator start\n')
})

test('a bug of ours keeps its stack and exits with 70', () => {
  const { exitCode, stderr } = told(new TypeError('x is not a function'))
  expect(exitCode).toBe(70)
  expect(stderr).toContain('errors.test.ts')
})
