import type { RequestOptions } from 'node:https'
import { KubeConfig } from '@kubernetes/client-node'
import type { Access } from './kubeconfig.js'

/**
 * Credentials and connections that the light kubeconfig reader leaves out (OIDC and cloud providers' logins, proxies), by the full
 * Kubernetes client library. A program of its own in dist/, loaded only where a kubeconfig asks for it.
 *
 * Resolves to what each request has to carry: an agent, and headers.
 */
export async function requestOptionsFor({ cluster, user }: Access): Promise<RequestOptions> {
  const config = new KubeConfig()
  config.loadFromOptions({
    clusters: [
      {
        name: 'cluster',
        server: cluster.server!,
        caData: cluster['certificate-authority-data'],
        caFile: cluster['certificate-authority'],
        skipTLSVerify: cluster['insecure-skip-tls-verify'] ?? false,
        tlsServerName: cluster['tls-server-name'],
        proxyUrl: cluster['proxy-url'],
      },
    ],
    users: [
      {
        name: 'user',
        certData: user['client-certificate-data'],
        certFile: user['client-certificate'],
        keyData: user['client-key-data'],
        keyFile: user['client-key'],
        authProvider: user['auth-provider'],
        token: user.token,
        username: user.username,
        password: user.password,
        exec: user.exec,
      },
    ],
    contexts: [{ name: 'context', cluster: 'cluster', user: 'user' }],
    currentContext: 'context',
  })
  const options: RequestOptions = {}
  await config.applyToHTTPSOptions(options)
  return options
}
