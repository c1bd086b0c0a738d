import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createImages } from '../../../src/images/images.js'

const dist = join(import.meta.dirname, '../../../dist/images')
const images = createImages({ programsDirectory: dist, nodePath: '/usr/bin/node' })
const temporary: string[] = []
afterEach(() => {
  for (const directory of temporary.splice(0)) rmSync(directory, { recursive: true })
})

async function resolved(reference: string, from = images) {
  const answer = await from.resolve(reference)
  if ('problem' in answer) throw new Error(answer.problem)
  return answer.image
}

test.each([
  'ghcr.io/knative/helloworld-go:latest',
  'ghcr.io/knative/helloworld-go',
  'gcr.io/knative-samples/helloworld-go:v1',
  'docker.io/knativesamples/helloworld',
  'knativesamples/helloworld',
  'openshift/hello-openshift',
  'quay.io/mavazque/reversewords:latest',
  'ghcr.io/knative/autoscale-go:0.1',
  'kn.local/slow-start',
  'kn.local/sleep',
  'kn.local/echo:any',
  'gcr.io/knative-releases/knative.dev/eventing/cmd/event_display',
  'gcr.io/knative-releases/knative.dev/eventing-contrib/cmd/event_display:latest',
  'gcr.io/knative-releases/knative.dev/eventing/cmd/appender',
  'quay.io/ruben/cloudevents-player:latest',
  'kn.local/failing',
  'kn.local/slow-sink',
  'kn.local/transformer',
  'curlimages/curl:8.9.0',
  'kn.local/shell',
])('%s runs here', async (reference) => {
  expect(await resolved(reference)).toMatchObject({ digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) })
})

test('the digest is that of the program, wherever it lies and under whichever name', async () => {
  const copy = mkdtempSync(join(tmpdir(), 'images-'))
  temporary.push(copy)
  cpSync(dist, copy, { recursive: true })
  const one = await resolved('ghcr.io/knative/helloworld-go')
  const other = await resolved('gcr.io/knative-samples/helloworld-go', createImages({ programsDirectory: copy, nodePath: '/opt/node' }))
  expect(other.digest).toBe(one.digest)
  expect(other.entrypoint).toEqual(['/opt/node', join(copy, 'helloworld.cjs')])

  writeFileSync(join(copy, 'helloworld.cjs'), 'changed')
  const changed = await resolved('ghcr.io/knative/helloworld-go', createImages({ programsDirectory: copy, nodePath: '/opt/node' }))
  expect(changed.digest).not.toBe(one.digest)
})

test('an image is found by its own digest and not by another', async () => {
  const { digest } = await resolved('kn.local/echo')
  expect(await resolved(`kn.local/echo@${digest}`)).toMatchObject({ repository: 'kn.local/echo', digest })
  const wrong = `kn.local/echo@sha256:${'0'.repeat(64)}`
  expect(await images.resolve(wrong)).toEqual({
    problem: `"${wrong}" is not here: the built-in kn.local/echo of this version has the digest ${digest}`,
  })
})

test('what does not run here is said in one sentence', async () => {
  expect(await images.resolve('nginx:1.27')).toEqual({
    problem: `"nginx:1.27" is not built in, not a local image, and no container engine is used by this version; 'kn image list' shows what runs here`,
  })
  expect(await images.resolve('Not/An Image')).toEqual({ problem: 'could not parse reference: Not/An Image' })
  const broken = createImages({ programsDirectory: '/none', nodePath: 'node' })
  expect(await broken.resolve('kn.local/echo')).toMatchObject({
    problem: expect.stringMatching(/^"kn.local\/echo" is built in, but its program cannot be read: ENOENT/),
  })
})

test('a local image is found first, under whatever name it carries', async () => {
  const mine = { repository: 'kn.local/echo', digest: 'sha256:mine', entrypoint: ['x'], args: [], env: {} }
  const listed = {
    repository: 'kn.local/echo',
    tags: ['v1'],
    digest: 'sha256:mine',
    kind: 'local' as const,
    description: '',
    environment: [],
  }
  const local = { find: async ({ tag }: { tag?: string }) => (tag === 'v1' ? mine : undefined), list: () => [listed] }
  const both = createImages({ programsDirectory: dist, nodePath: 'node', local })
  expect((await resolved('kn.local/echo:v1', both)).digest).toBe('sha256:mine')
  expect((await resolved('kn.local/echo:v2', both)).digest).not.toBe('sha256:mine')
  expect(both.list()[0]).toEqual(listed)
})

test('the list names every image with its digest and what its environment means', () => {
  const list = images.list()
  expect(list.map(({ repository }) => repository)).toContain('docker.io/curlimages/curl')
  expect(list.every(({ kind, tags, description }) => kind === 'built-in' && tags === 'any' && description !== '')).toBe(true)
  expect(list.find(({ repository }) => repository === 'ghcr.io/knative/helloworld-go')?.environment[0]).toEqual({
    name: 'TARGET',
    meaning: 'who is greeted (default World)',
  })
})
