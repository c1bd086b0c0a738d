import { expect, test } from 'vitest'
import { expandReferences, mergeEnvironment, processEnvironment } from '../../../src/runtime/environment.js'

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
