import { expect, test } from 'vitest'
import { createSeededRandom } from '../../../src/base/random.js'
import { createReach } from '../../../src/emulator/reach.js'
import { aCoreService, aPlainPod, aSlice, createInformers, endpointOf } from '../gateway/support.js'

const LISTENERS = { external: 1, clusterLocal: 2, clusterLocalTls: 3 }

/** A namespace `default` with a Service `web` whose Pod listens on 20001, and an alias `hello`, as Knative makes them. */
function aReach() {
  const { services, slices, pods } = createInformers()
  const pod = aPlainPod('web-1', '10.244.0.1', { 8080: 20001 })
  pods.put(pod)
  services.put(aCoreService('web', { ports: [{ port: 80, targetPort: 8080 }] }))
  services.put(aCoreService('hello', { type: 'ExternalName', externalName: 'gateway.example' }))
  slices.put(aSlice('web', [{ port: 8080 }], [endpointOf(pod)]))
  const reach = createReach({
    services,
    slices,
    pods,
    domains: () => ['localhost', 'example.com'],
    ports: () => LISTENERS,
    speaksTls: ({ namespace, name }) => namespace === 'knative-eventing' && name === 'broker-ingress',
    random: createSeededRandom(1),
  })
  return (url: string, namespace?: string) => {
    const { host, port, hostHeader } = reach(new URL(url), namespace)
    return `${host}:${port} as ${hostHeader}`
  }
}

test.each([
  ['http://web.default.svc.cluster.local/x', '127.0.0.1:2 as web.default.svc.cluster.local'],
  ['http://hello.default.svc:8080/', '127.0.0.1:2 as hello.default.svc:8080'],
  ['http://broker-ingress.knative-eventing.svc.cluster.local/a/b', '127.0.0.1:2 as broker-ingress.knative-eventing.svc.cluster.local'],
  ['http://web.default/', '127.0.0.1:2 as web.default'],
  ['http://hello.default.example.com/', '127.0.0.1:1 as hello.default.example.com'],
  ['http://ghost.default/', 'ghost.default:80 as ghost.default'],
  ['http://api.localhost.test:90/', 'api.localhost.test:90 as api.localhost.test:90'],
  ['https://broker-ingress.knative-eventing.svc.cluster.local/a/b', '127.0.0.1:3 as broker-ingress.knative-eventing.svc.cluster.local'],
  // A proxy's CONNECT, which says no more than a port.
  ['https://broker-ingress.knative-eventing.svc:80/', '127.0.0.1:2 as broker-ingress.knative-eventing.svc:80'],
  ['https://broker-ingress.default.svc/', '127.0.0.1:2 as broker-ingress.default.svc'],
  ['https://web.default.svc:80/', '127.0.0.1:20001 as web.default.svc:80'],
  ['https://other.org/', 'other.org:443 as other.org'],
])('%s leads to %s', (url, expected) => {
  expect(aReach()(url)).toBe(expected)
})

test('a bare name is a Service of the namespace of whoever asks, and of nobody else', () => {
  const reach = aReach()
  expect(reach('http://web/', 'default')).toBe('127.0.0.1:20001 as web')
  expect(reach('http://hello/', 'default')).toBe('127.0.0.1:2 as hello')
  expect(reach('http://web/', 'shop')).toBe('web:80 as web')
  expect(reach('http://web/')).toBe('web:80 as web')
  expect(reach('http://constructor/', 'default')).toBe('constructor:80 as constructor')
})
