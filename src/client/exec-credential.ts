import { UserError } from '../base/user-error.js'
import type { ClusterEntry, ExecEntry } from './kubeconfig.js'

export interface ProgramRun {
  command: string
  args: readonly string[]
  env: NodeJS.ProcessEnv
  /** Whether the program may ask on our terminal. */
  interactive: boolean
}

/** What a program answered. `notFound` when there is none of that name. */
export type ProgramResult = { exitCode: number; stdout: string } | { notFound: true }

export interface ExecCredential {
  token?: string
  clientCertificate?: string
  clientKey?: string
}

const VERSIONS: readonly unknown[] = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']

/**
 * The credential that a program named in the kubeconfig hands out. Throws a UserError when the program is missing (with its
 * install hint), fails, or answers something else.
 *
 * @see k8s.io/client-go plugin/pkg/client/auth/exec/exec.go
 */
export async function execCredential(
  exec: ExecEntry,
  cluster: ClusterEntry,
  deps: {
    env: NodeJS.ProcessEnv
    isTerminal: boolean
    run: (run: ProgramRun) => Promise<ProgramResult>
    readFile: (path: string) => string | undefined
  },
): Promise<ExecCredential> {
  const fail = (why: string, remedies: readonly string[] = []): never => {
    throw new UserError({ code: 'exec-credential', what: 'getting credentials', why: `exec: ${why}`, remedies })
  }
  const { apiVersion, command, interactiveMode = 'IfAvailable' } = exec
  if (!VERSIONS.includes(apiVersion)) fail(`apiVersion "${apiVersion ?? ''}" of the program ${command} is not supported`)
  if (interactiveMode === 'Always' && !deps.isTerminal) fail(`executable ${command} needs a terminal, and there is none`)
  const interactive = interactiveMode !== 'Never' && deps.isTerminal

  const info = {
    kind: 'ExecCredential',
    apiVersion,
    spec: { interactive, ...(exec.provideClusterInfo && { cluster: clusterInfo(cluster, deps.readFile) }) },
  }
  const result = await deps.run({
    command,
    args: exec.args ?? [],
    env: {
      ...deps.env,
      ...Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value])),
      KUBERNETES_EXEC_INFO: JSON.stringify(info),
    },
    interactive,
  })
  if ('notFound' in result) return fail(`executable ${command} not found`, exec.installHint ? [exec.installHint.trim()] : [])
  if (result.exitCode !== 0) fail(`executable ${command} failed with exit code ${result.exitCode}`)
  return credentialFrom(result.stdout, command, apiVersion, fail)
}

function credentialFrom(text: string, command: string, apiVersion: string | undefined, fail: (why: string) => never): ExecCredential {
  let answer: { kind?: string; apiVersion?: string; status?: { token?: string; clientCertificateData?: string; clientKeyData?: string } }
  try {
    answer = JSON.parse(text)
  } catch {
    return fail(`executable ${command} did not answer with JSON`)
  }
  if (answer.kind !== 'ExecCredential' || answer.apiVersion !== apiVersion) {
    return fail(`executable ${command} answered ${answer.apiVersion} ${answer.kind}, not ${apiVersion} ExecCredential`)
  }
  const { token, clientCertificateData, clientKeyData } = answer.status ?? {}
  if (!token && !(clientCertificateData && clientKeyData))
    return fail(`executable ${command} answered without a token or a certificate with its key`)
  return {
    ...(token && { token }),
    ...(clientCertificateData && { clientCertificate: clientCertificateData }),
    ...(clientKeyData && { clientKey: clientKeyData }),
  }
}

function clusterInfo(cluster: ClusterEntry, readFile: (path: string) => string | undefined): object {
  const path = cluster['certificate-authority']
  const data = cluster['certificate-authority-data'] ?? (path && Buffer.from(readFile(path) ?? '').toString('base64'))
  const config = cluster.extensions?.find(({ name }) => name === 'client.authentication.k8s.io/exec')?.extension
  return {
    server: cluster.server,
    ...(cluster['tls-server-name'] && { 'tls-server-name': cluster['tls-server-name'] }),
    ...(cluster['insecure-skip-tls-verify'] && { 'insecure-skip-tls-verify': true }),
    ...(data && { 'certificate-authority-data': data }),
    ...(cluster['proxy-url'] && { 'proxy-url': cluster['proxy-url'] }),
    ...(config !== undefined && { config }),
  }
}
