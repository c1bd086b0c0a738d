/** A kubeconfig as the emulator writes its own. */
export function emulatorKubeconfig({
  socket,
  server = 'https://127.0.0.1:19443',
  token = 'secret',
}: {
  socket?: string
  server?: string
  token?: string
} = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'kn-emulator',
    clusters: [
      {
        name: 'kn-emulator',
        cluster: { server, extensions: [{ name: 'kn-local.dev/emulator', extension: { instance: 'default', ...(socket && { socket }) } }] },
      },
    ],
    users: [{ name: 'kn-emulator', user: { token } }],
    contexts: [{ name: 'kn-emulator', context: { cluster: 'kn-emulator', user: 'kn-emulator', namespace: 'default' } }],
  })
}

/** A kubeconfig as people have them. */
export const A_KUBECONFIG = `apiVersion: v1
kind: Config
current-context: prod
preferences: {}
clusters:
- name: prod
  cluster:
    server: https://prod.example.com:6443
    certificate-authority: pki/ca.crt
- cluster:
    insecure-skip-tls-verify: true
    server: https://10.0.0.1
    tls-server-name: kubernetes
  name: test
contexts:
- context:
    cluster: prod
    namespace: shop
    user: admin
  name: prod
- context:
    cluster: test
    user: ""
  name: test
users:
- name: admin
  user:
    client-certificate-data: QUJD
    client-key-data: "REVG"
`
