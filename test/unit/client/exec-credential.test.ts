import { expect, test } from 'vitest'
import { execCredential, type ProgramResult, type ProgramRun } from '../../../src/client/exec-credential.js'
import type { ExecEntry } from '../../../src/client/kubeconfig.js'

const V1 = 'client.authentication.k8s.io/v1'
const answer = (status: object, apiVersion = V1): ProgramResult => ({
  exitCode: 0,
  stdout: JSON.stringify({ kind: 'ExecCredential', apiVersion, status }),
})

async function asked(exec: Partial<ExecEntry>, result: ProgramResult, isTerminal = false) {
  const runs: ProgramRun[] = []
  const run = async (one: ProgramRun): Promise<ProgramResult> => {
    runs.push(one)
    return result
  }
  const credential = await execCredential(
    { apiVersion: V1, command: 'login', ...exec },
    {
      server: 'https://x',
      'certificate-authority': '/ca',
      extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'a' } }],
    },
    { env: { PATH: '/bin' }, isTerminal, run, readFile: () => 'CA' },
  )
  return { credential, run: runs[0]! }
}

test('a program is run with its arguments and environment, and its token is the credential', async () => {
  const { credential, run } = await asked({ args: ['token'], env: [{ name: 'PROFILE', value: 'dev' }] }, answer({ token: 't' }))
  expect(credential).toEqual({ token: 't' })
  expect(run).toMatchObject({ command: 'login', args: ['token'], env: { PATH: '/bin', PROFILE: 'dev' }, interactive: false })
  expect(JSON.parse(run.env['KUBERNETES_EXEC_INFO']!)).toEqual({ kind: 'ExecCredential', apiVersion: V1, spec: { interactive: false } })
})

test('what a program wants to know about the cluster is told when it asks for it', async () => {
  const { run } = await asked({ provideClusterInfo: true }, answer({ token: 't' }))
  expect(JSON.parse(run.env['KUBERNETES_EXEC_INFO']!).spec.cluster).toEqual({
    server: 'https://x',
    'certificate-authority-data': Buffer.from('CA').toString('base64'),
    config: { audience: 'a' },
  })
})

test('a program may ask on the terminal when there is one and it was not forbidden', async () => {
  expect((await asked({}, answer({ token: 't' }), true)).run.interactive).toBe(true)
  expect((await asked({ interactiveMode: 'Never' }, answer({ token: 't' }), true)).run.interactive).toBe(false)
  await expect(asked({ interactiveMode: 'Always' }, answer({ token: 't' }))).rejects.toThrow('executable login needs a terminal')
})

test('certificates are taken as well', async () => {
  expect((await asked({}, answer({ clientCertificateData: 'C', clientKeyData: 'K' }))).credential).toEqual({
    clientCertificate: 'C',
    clientKey: 'K',
  })
})

test.each([
  [{}, { notFound: true } as ProgramResult, 'getting credentials: exec: executable login not found'],
  [{}, { exitCode: 3, stdout: '' }, 'executable login failed with exit code 3'],
  [{}, { exitCode: 0, stdout: 'hello' }, 'executable login did not answer with JSON'],
  [{}, answer({ token: 't' }, 'v2'), 'executable login answered v2 ExecCredential'],
  [{}, answer({}), 'without a token or a certificate'],
  [{ apiVersion: 'client.authentication.k8s.io/v1alpha1' }, answer({ token: 't' }), 'is not supported'],
])('%j with %j is refused: %s', async (exec, result, message) => {
  await expect(asked(exec, result)).rejects.toThrow(message)
})

test('the install hint of a missing program is the remedy', async () => {
  await expect(asked({ installHint: 'brew install login' }, { notFound: true })).rejects.toMatchObject({ remedies: ['brew install login'] })
})
