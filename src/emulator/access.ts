import { EMULATOR_EXTENSION } from '../client/kubeconfig.js'

export interface EmulatorAccess {
  instance: string
  context: string
  server: string
  socket: string | undefined
  caCertificate: string
  clientCertificate: string
  clientKey: string
  token: string
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** What a kubeconfig holds about an instance, a list each. */
export function kubeconfigEntries(access: EmulatorAccess): { clusters: object; users: object; contexts: object } {
  const { context } = access
  return {
    clusters: {
      name: context,
      cluster: {
        server: access.server,
        'certificate-authority-data': base64(access.caCertificate),
        extensions: [
          { name: EMULATOR_EXTENSION, extension: { instance: access.instance, ...(access.socket && { socket: access.socket }) } },
        ],
      },
    },
    users: {
      name: context,
      user: {
        'client-certificate-data': base64(access.clientCertificate),
        'client-key-data': base64(access.clientKey),
        token: access.token,
      },
    },
    contexts: { name: context, context: { cluster: context, user: context, namespace: 'default' } },
  }
}

/** The instance's own kubeconfig: complete by itself, JSON (which is YAML), so that reading it needs no YAML parser. */
export function kubeconfigFor(access: EmulatorAccess): string {
  const { clusters, users, contexts } = kubeconfigEntries(access)
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': access.context,
    clusters: [clusters],
    users: [users],
    contexts: [contexts],
    preferences: {},
  }
  return `${JSON.stringify(config, null, 2)}\n`
}
