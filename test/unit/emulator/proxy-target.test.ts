import { expect, test } from 'vitest'
import { StatusError } from '../../../src/apimachinery/status-error.js'
import type { ProxyTarget } from '../../../src/apiserver/streams/proxy.js'
import { createFindProxyTarget } from '../../../src/emulator/proxy-target.js'
import { aCoreService, aPlainPod, aSlice, createInformers, endpointOf } from '../gateway/support.js'

/** A namespace `default` with a Service `web` of two Pods, and whatever else a test puts there. */
function aCluster() {
  const { services, slices, pods } = createInformers()
  const one = aPlainPod('web-1', '10.244.0.1', { 8080: 20001, 8443: 20002 })
  const two = aPlainPod('web-2', '10.244.0.2', { 8080: 20003, 8443: 20004 })
  for (const pod of [one, two]) pods.put(pod)
  const ports = [
    { name: 'http', port: 80, targetPort: 8080 },
    { name: 'tls', port: 443, targetPort: 8443 },
  ]
  services.put(aCoreService('web', { ports }))
  const targets = [
    { name: 'http', port: 8080 },
    { name: 'tls', port: 8443 },
  ]
  slices.put(aSlice('web', targets, [endpointOf(one), endpointOf(two)]))
  const reached: string[] = []
  const reach = (url: URL) => {
    reached.push(url.href)
    return { host: '127.0.0.1', port: 2, hostHeader: url.host }
  }
  const find = createFindProxyTarget({ services, slices, pods, reach })
  /** `host:port` of where a path's `services/web:http` leads, or the refusal's code and message. */
  const target = (path: string, scheme?: 'https'): string => {
    const [what, name = '', port] = path.split(/[/:]/)
    try {
      const found = find({ what: what as 'pods', namespace: 'default', name, port, scheme }) as ProxyTarget
      return `${found.scheme}://${found.host}:${found.port}${found.hostHeader ? ` as ${found.hostHeader}` : ''}`
    } catch (error) {
      if (error instanceof StatusError) return `${error.code} ${error.reason}: ${error.message}`
      throw error
    }
  }
  return { services, slices, pods, one, two, reached, target }
}

test('a Service leads to its ready Pods each in turn, by a port’s number or name', () => {
  const { slices, pods, one, two, target } = aCluster()
  expect([target('services/web:80'), target('services/web:http'), target('services/web:80')]).toEqual([
    'http://127.0.0.1:20001',
    'http://127.0.0.1:20003',
    'http://127.0.0.1:20001',
  ])
  expect(target('services/web:tls', 'https')).toBe('https://127.0.0.1:20004')
  slices.put(aSlice('web', [{ name: 'http', port: 8080 }], [endpointOf(one, { ready: false }), endpointOf(two)]))
  expect([target('services/web:80'), target('services/web:80')]).toEqual(['http://127.0.0.1:20003', 'http://127.0.0.1:20003'])
  pods.remove(two)
  expect(target('services/web:80')).toBe('503 ServiceUnavailable: no endpoints available for service "web"')
})

test('a Service without endpoints, another port of it and one that is missing are refused', () => {
  const { services, slices, target } = aCluster()
  services.put(aCoreService('empty', { ports: [{ port: 80 }] }))
  slices.put(aSlice('empty', [], []))
  services.put(aCoreService('alias', { type: 'ExternalName', externalName: 'other.test', ports: [{ port: 80 }] }))
  expect(target('services/empty')).toBe('503 ServiceUnavailable: no endpoints available for service "empty"')
  expect(target('services/alias')).toBe('503 ServiceUnavailable: no endpoints available for service "alias"')
  expect(target('services/web:zz')).toBe('503 ServiceUnavailable: no service port "zz" found for service "web"')
  expect(target('services/web:81')).toBe('503 ServiceUnavailable: no service port 81 found for service "web"')
  expect(target('services/ghost:80')).toBe('404 NotFound: services "ghost" not found')
})

test('without a port, a Service’s only one is meant, or the one that has no name', () => {
  const { services, slices, one, target } = aCluster()
  expect(target('services/web')).toBe('503 ServiceUnavailable: no endpoints available for service "web"')
  services.put(aCoreService('named', { ports: [{ name: 'http', port: 80, targetPort: 8080 }] }))
  slices.put(aSlice('named', [{ name: 'http', port: 8080 }], [endpointOf(one)]))
  expect(target('services/named')).toBe('http://127.0.0.1:20001')
})

test('a Service whose endpoints are no Pods is the cluster-local listener’s', () => {
  const { services, slices, reached, target } = aCluster()
  services.put(aCoreService('broker-ingress', { ports: [{ name: 'http', port: 80 }] }))
  slices.put(aSlice('broker-ingress', [{ name: 'http', port: 8080 }], [{ addresses: ['10.244.0.1'], conditions: { ready: true } }]))
  expect(target('services/broker-ingress:http')).toBe('http://127.0.0.1:2 as broker-ingress.default.svc.cluster.local')
  expect(reached).toEqual(['http://broker-ingress.default.svc.cluster.local/'])
})

test('a Pod is reached on the ports it declares and on no port of this machine', () => {
  const { services, slices, pods, one, target } = aCluster()
  expect(target('pods/web-1')).toBe('http://127.0.0.1:20001')
  expect(target('pods/web-1:8443', 'https')).toBe('https://127.0.0.1:20002')
  const refused = (port: number, address = '10.244.0.1') =>
    `503 ServiceUnavailable: error trying to reach service: dial tcp ${address}:${port}: connect: connection refused`
  expect(target('pods/web-1:22')).toBe(refused(22))
  expect(target('pods/web-1:http')).toBe('503 ServiceUnavailable: error trying to reach service: dial tcp: lookup tcp/http: unknown port')
  expect(target('pods/ghost')).toBe('404 NotFound: pods "ghost" not found')
  services.put(aCoreService('web', { ports: [{ port: 80, targetPort: 22 }] }))
  slices.put(aSlice('web', [{ port: 22 }], [endpointOf(one)]))
  expect(target('services/web')).toBe(refused(22))

  pods.put({ ...one, status: { podIP: '10.244.0.1', phase: 'Succeeded' } })
  expect(target('pods/web-1:8080')).toBe(refused(8080))
  const { status: _, ...unscheduled } = one
  pods.put(unscheduled)
  expect(target('pods/web-1:8080')).toBe('400 BadRequest: address not allowed')
  pods.put({ ...one, metadata: { ...one.metadata, annotations: { 'kn-local.dev/ports': '[' } } })
  expect(target('pods/web-1:8080')).toBe(refused(8080))
})

test('a Pod that declares no port is reached behind its Service on the one that it was told', () => {
  const { services, slices, pods, target } = aCluster()
  const pod = aPlainPod('plain', '10.244.0.9', { 8080: 20009 }, [])
  pods.put(pod)
  services.put(aCoreService('plain', { ports: [{ port: 80, targetPort: 3000 }] }))
  slices.put(aSlice('plain', [{ port: 3000 }], [endpointOf(pod)]))
  expect(target('services/plain')).toBe('http://127.0.0.1:20009')
  expect(target('pods/plain')).toBe(
    '503 ServiceUnavailable: error trying to reach service: dial tcp 10.244.0.9:80: connect: connection refused',
  )
})
