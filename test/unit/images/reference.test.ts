import { expect, test } from 'vitest'
import { parseImageReference } from '../../../src/images/reference.js'

const hex = 'a'.repeat(64)

test.each([
  ['busybox', { repository: 'docker.io/library/busybox', registry: 'docker.io', tag: 'latest' }],
  ['busybox:1.36', { repository: 'docker.io/library/busybox', registry: 'docker.io', tag: '1.36' }],
  ['openshift/hello-openshift', { repository: 'docker.io/openshift/hello-openshift', registry: 'docker.io', tag: 'latest' }],
  ['index.docker.io/library/busybox', { repository: 'docker.io/library/busybox', registry: 'docker.io', tag: 'latest' }],
  ['docker.io/busybox', { repository: 'docker.io/library/busybox', registry: 'docker.io', tag: 'latest' }],
  ['ghcr.io/knative/helloworld-go:latest', { repository: 'ghcr.io/knative/helloworld-go', registry: 'ghcr.io', tag: 'latest' }],
  ['localhost:5000/app', { repository: 'localhost:5000/app', registry: 'localhost:5000', tag: 'latest' }],
  ['localhost/app', { repository: 'docker.io/localhost/app', registry: 'docker.io', tag: 'latest' }],
  [`ghcr.io/a/b@sha256:${hex}`, { repository: 'ghcr.io/a/b', registry: 'ghcr.io', digest: `sha256:${hex}` }],
  [`ghcr.io/a/b:v1@sha256:${hex}`, { repository: 'ghcr.io/a/b', registry: 'ghcr.io', digest: `sha256:${hex}` }],
  [`localhost:5000/bb@sha256:${hex}`, { repository: 'localhost:5000/bb', registry: 'localhost:5000', digest: `sha256:${hex}` }],
])('%s is understood', (text, reference) => {
  expect(parseImageReference(text)).toEqual({ reference })
})

test('a colon without a tag behind it means no tag', () => {
  expect(parseImageReference('ghcr.io/a/b:')).toEqual({ reference: { repository: 'ghcr.io/a/b', registry: 'ghcr.io', tag: 'latest' } })
})

test.each([
  '',
  'a',
  'UPPER/case',
  'with space',
  'a/b:t@g',
  `a/b@sha256:${hex}@x`,
  'a/b@sha256:123',
  'a/b:no!tag',
  'https://ghcr.io/a/b',
  'gh@cr.io/a',
  ':tag',
])('%j is no reference', (text) => {
  expect(parseImageReference(text)).toEqual({ problem: `could not parse reference: ${text}` })
})
