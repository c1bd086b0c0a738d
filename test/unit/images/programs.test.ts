import { expect, test, vi } from 'vitest'
import { run, serving } from './support.js'

const textOf = async (url: string, init?: RequestInit): Promise<string> => (await fetch(url, init)).text()

test('helloworld greets whom TARGET says, and logs as the original', async () => {
  const { url, output } = await serving('ghcr.io/knative/helloworld-go', { TARGET: 'Go Sample v1' })
  const response = await fetch(`${url}/any/path?q`, { method: 'POST', body: 'x' })
  expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
    200,
    'text/plain; charset=utf-8',
    'Hello Go Sample v1!\n',
  ])
  await vi.waitFor(() => expect(output()).toMatch(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d helloworld: received a request$/m))
  expect(output()).toMatch(/ helloworld: listening on port \d+$/m)
  expect(await textOf((await serving('docker.io/knativesamples/helloworld', { TARGET: '' })).url)).toBe('Hello World!\n')
})

test('hello-openshift answers with its RESPONSE', async () => {
  const { url, output } = await serving('docker.io/openshift/hello-openshift')
  expect(await textOf(url)).toBe('Hello OpenShift!\n')
  expect(output()).toMatch(/^serving on \d+\n(Servicing request\.\n)+$/)
  expect(await textOf((await serving('docker.io/openshift/hello-openshift', { RESPONSE: 'Hi' })).url)).toBe('Hi\n')
})

test('reversewords tells its release and reverses words', async () => {
  const { url } = await serving('quay.io/mavazque/reversewords', { RELEASE: 'Serverless' })
  expect(await textOf(url)).toBe('Reverse Words Release: Serverless. App version: v0.0.27\n')
  expect(await textOf(url, { method: 'POST', body: '{"word":"PALC"}' })).toBe('{"reverse_word":"CLAP"}\n')
  expect(await textOf(url, { method: 'POST', body: '{"word":"<é😀"}' })).toBe('{"reverse_word":"😀é\\u003c"}\n')
  expect(await textOf(url, { method: 'POST' })).toBe('{"reverse_word":"detceted drow oN"}\n')
  await expect(fetch(url, { method: 'POST', body: 'no json' })).rejects.toThrow()
  expect((await fetch(`${url}/nowhere`)).status).toBe(404)
  expect((await fetch(url, { method: 'DELETE' })).status).toBe(405)
  expect(await textOf(`${url}/metrics`)).toContain('reversewords_endpoints_accessed_total{accessed_endpoint="release"} 1\n')
  expect(await textOf(`${url}/metrics`)).toContain('\nreversewords_reversed_words_total 3\n')
})

test('autoscale-go uses time, processor and memory as it is told', async () => {
  const { url } = await serving('ghcr.io/knative/autoscale-go')
  const lines = (await textOf(`${url}?sleep=100&prime=10000&bloat=5`)).split('\n')
  expect(lines.slice(0, 2)).toEqual(['Allocated 5 Mb of memory.', 'The largest prime less than 10000 is 9973.'])
  expect(lines[2]).toMatch(/^Slept for 1\d\d\.\d\d milliseconds\.$/)
  expect(await textOf(`${url}?prime=3`)).toBe('There are no primes smaller than 3.\n')
  expect(await textOf(url)).toBe('')
  const wrong = await fetch(`${url}?sleep=soon`)
  expect([wrong.status, await wrong.text()]).toEqual([400, 'strconv.Atoi: parsing "soon": invalid syntax\n'])
  await expect(fetch(`${url}?bloat=-1`).then((response) => response.text())).rejects.toThrow()
})

test('slow-start listens only after its delay, and can be ended before', async () => {
  const running = await run('kn.local/slow-start', { env: { START_DELAY_MS: '300' } })
  await vi.waitFor(() => expect(running.output()).toBe('slow-start: listening in 300 ms\n'), { interval: 5 })
  await expect(fetch(running.url)).rejects.toThrow()
  await vi.waitFor(async () => expect(await textOf(running.url)).toBe('Ready after 300 ms\n'), { timeout: 5000, interval: 20 })

  const early = await run('kn.local/slow-start')
  await vi.waitFor(() => expect(early.output()).toContain('5000'), { interval: 5 })
  early.child.kill('SIGTERM')
  expect(await early.exited).toBe(0)
})

test('echo shows the request and its environment', async () => {
  const { url } = await serving('kn.local/echo', { GREETING: 'hi' })
  const answer = await (await fetch(`${url}/a?b=c`, { method: 'PUT', body: 'text', headers: { 'X-One': '1' } })).json()
  expect(answer).toMatchObject({ method: 'PUT', path: '/a?b=c', body: 'text', headers: { 'x-one': '1' }, environment: { GREETING: 'hi' } })
  expect(await (await fetch(url, { method: 'POST', body: new Uint8Array([0xff, 0]) })).json()).toMatchObject({ bodyBase64: '/wA=' })
})

test('echo keeps the credential of the workload proxy to itself', async () => {
  const proxy = 'http://default:0f1e2d@127.0.0.1:1'
  const { url } = await serving('kn.local/echo', { KN_LOCAL_PROXY: proxy, http_proxy: proxy, K_SINK: 'http://127.0.0.1:1/to/0f1e2d/a.svc' })
  const text = await textOf(url)
  expect(text).not.toContain('0f1e2d')
  expect(JSON.parse(text).environment).toMatchObject({
    http_proxy: 'http://default:…@127.0.0.1:1',
    K_SINK: 'http://127.0.0.1:1/to/…/a.svc',
  })
})

test('at SIGTERM a program finishes what it is answering, closes idle connections, and ends with 0', async () => {
  const { child, url, exited, output } = await serving('kn.local/sleep', { SLEEP_MS: '200' })
  const before = output().length
  const answer = textOf(url)
  await vi.waitFor(() => expect(output().length).toBeGreaterThan(before), { interval: 2 })
  child.kill('SIGTERM')
  expect(await answer).toBe('Slept for 200 ms\n')
  await expect(fetch(url)).rejects.toThrow()
  expect(await exited).toBe(0)
})

test('the curl image runs curl, unless its first argument is a command', async () => {
  const { url } = await serving('ghcr.io/knative/helloworld-go')
  const curl = await run('docker.io/curlimages/curl', { args: ['-s', url] })
  expect([await curl.exited, curl.output()]).toEqual([0, 'Hello World!\n'])
  const bare = await run('docker.io/curlimages/curl', { args: [url, '-s'] })
  expect([await bare.exited, bare.output()]).toEqual([0, 'Hello World!\n'])
  const shell = await run('docker.io/curlimages/curl', { args: ['sh', '-c', 'echo "$1"; exit 3', 'x', 'a  b'] })
  expect([await shell.exited, shell.output()]).toEqual([3, 'a  b\n'])
})

test('the shell image runs a command of the host', async () => {
  const shell = await run('kn.local/shell', { args: ['sh', '-c', 'echo "from $0"'] })
  expect([await shell.exited, shell.output()]).toEqual([0, 'from sh\n'])
})
