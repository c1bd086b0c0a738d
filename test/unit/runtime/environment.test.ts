import { expect, test } from 'vitest'
import { expandReferences, mergeEnvironment, processEnvironment, withDirectSink } from '../../../src/runtime/environment.js'

test.each([
  ['$(HOST):$(PORT)', 'db:5432'],
  ['$(GHOST)', '$(GHOST)'],
  ['$$(HOST)', '$(HOST)'],
  ['$$$(HOST)', '$db'],
  ['$$$$', '$$'],
  ['$HOST ${HOST} $', '$HOST ${HOST} $'],
  ['$(HOST', '$(HOST'],
  ['$(EMPTY)|', '|'],
  ['$(toString)', '$(toString)'],
])('the value %j becomes %j', (value, expanded) => {
  expect(expandReferences(value, { HOST: 'db', PORT: '5432', EMPTY: '' })).toBe(expanded)
})

test('a variable may refer to envFrom and to variables before it, not to those after it', () => {
  const merged = mergeEnvironment({
    from: [{ HOST: 'db', USER: 'first' }, { USER: 'second' }],
    env: [
      { name: 'LATE', value: '$(URL)' },
      { name: 'URL', value: '$(USER)@$(HOST)' },
      { name: 'AGAIN', value: '<$(URL)>' },
    ],
  })
  expect(merged).toEqual({ HOST: 'db', USER: 'second', LATE: '$(URL)', URL: 'second@db', AGAIN: '<second@db>' })
})

test('a value from a Secret is taken as it is', () => {
  expect(mergeEnvironment({ env: [{ name: 'PASSWORD', value: '$$(A)', verbatim: true }] })).toEqual({ PASSWORD: '$$(A)' })
})

test('service links can be referred to, and lose against everything else', () => {
  const services = { API_HOST: '10.0.0.1', API_PORT: '80' }
  expect(
    mergeEnvironment({
      env: [
        { name: 'API_HOST', value: 'mine' },
        { name: 'URL', value: '$(API_HOST):$(API_PORT)' },
      ],
      services,
    }),
  ).toEqual({
    API_HOST: 'mine',
    API_PORT: '80',
    URL: 'mine:80',
  })
})

test("of the host's environment a workload gets PATH, LANG and TZ, and it cannot take off its marker", () => {
  const env = processEnvironment({
    hostEnv: {
      PATH: '/bin',
      LANG: 'de_DE.UTF-8',
      TZ: 'UTC',
      NODE_OPTIONS: '--inspect',
      NODE_EXTRA_CA_CERTS: '/ca',
      KUBECONFIG: '/k',
      AWS_SECRET: 's',
    },
    image: { A: 'image', B: 'image' },
    own: { B: 'own', KN_LOCAL_INSTANCE: 'other' },
    home: '/h',
    temporary: '/t',
    hostname: 'pod-1',
    marker: 'm1',
  })
  expect(env).toEqual({
    PATH: '/bin',
    LANG: 'de_DE.UTF-8',
    TZ: 'UTC',
    HOME: '/h',
    TMPDIR: '/t',
    HOSTNAME: 'pod-1',
    A: 'image',
    B: 'own',
    KN_LOCAL_INSTANCE: 'm1',
  })
})

const network = { proxyUrl: 'http://shop:secret@127.0.0.1:1', preload: '/a "b"/c\\d.cjs' }
const withNetwork = (
  own: Record<string, string>,
  image: Record<string, string> = {},
  given: { proxyUrl: string; preload?: string } = network,
) => processEnvironment({ hostEnv: {}, image, own, home: '/h', temporary: '/t', hostname: 'p', marker: 'm', network: given })

test('a workload is told of its proxy, and Node’s programs what to load', () => {
  expect(withNetwork({})).toMatchObject({
    KN_LOCAL_PROXY: network.proxyUrl,
    http_proxy: network.proxyUrl,
    HTTP_PROXY: network.proxyUrl,
    https_proxy: network.proxyUrl,
    HTTPS_PROXY: network.proxyUrl,
    no_proxy: 'localhost,127.0.0.1,::1',
    NO_PROXY: 'localhost,127.0.0.1,::1',
    NODE_OPTIONS: '--require "/a \\"b\\"/c\\\\d.cjs"',
  })
  expect(withNetwork({}, {}, { proxyUrl: network.proxyUrl })).not.toHaveProperty('NODE_OPTIONS')
})

test.each(['http_proxy', 'HTTP_PROXY'])('a Pod that sets %s has no other, in either case of letters', (name) => {
  const own = withNetwork({ [name]: 'http://mine' })
  expect(own[name]).toBe('http://mine')
  for (const other of ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY'])
    if (other !== name) expect(own).not.toHaveProperty(other)
  expect(withNetwork({}, { [name]: 'http://image' })[name]).toBe('http://image')
})

test('a Pod’s own no_proxy and NODE_OPTIONS keep what they say', () => {
  const env = withNetwork({ NO_PROXY: 'a', NODE_OPTIONS: '--max-old-space-size=64' })
  expect(env).toMatchObject({ NO_PROXY: 'a', http_proxy: network.proxyUrl })
  expect(env).not.toHaveProperty('no_proxy')
  expect(env['NODE_OPTIONS']).toMatch(/^--require ".*" --max-old-space-size=64$/)
})

test('an injected sink becomes a direct URL, for what refers to it too; nothing else does', () => {
  const env = [
    { name: 'K_SINK', value: 'http://a.b.svc' },
    { name: 'OTHER', value: 'http://a.b.svc' },
    { name: 'TARGET', value: '$(K_SINK)/x' },
  ]
  const merged = mergeEnvironment(withDirectSink({ from: [{ FROM: 'http://a.b.svc' }], env }, (url) => `direct:${url}`))
  expect(merged).toEqual({
    FROM: 'http://a.b.svc',
    K_SINK: 'direct:http://a.b.svc',
    OTHER: 'http://a.b.svc',
    TARGET: 'direct:http://a.b.svc/x',
  })
  expect(withDirectSink({}, (url) => url)).toEqual({})
})
