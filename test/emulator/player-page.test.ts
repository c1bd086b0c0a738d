import { writeFileSync } from 'node:fs'
import { expect, onTestFinished, vi } from 'vitest'
import { brokerKind } from '../../src/kinds/broker/kind.js'
import { serviceKind } from '../../src/kinds/service/kind.js'
import { triggerKind } from '../../src/kinds/trigger/kind.js'
import { findChromium, openPage } from '../support/browser.js'
import { test } from '../support/emulator.js'
import { eventually } from '../support/objects.js'

const chromium = findChromium()
if (!chromium) console.warn('The player’s page is not looked at: no Chromium is on the PATH (Debian: apt-get install chromium).')

const inDefault = (name: string) => ({ namespace: 'default', name })

test.skipIf(!chromium)('the player’s page sends an event through a Broker and shows it sent and received', async ({ client }) => {
  await client.create(brokerKind, { metadata: inDefault('main') })
  await client.create(serviceKind, {
    metadata: inDefault('player'),
    spec: {
      template: {
        spec: {
          containers: [{ name: 'player', image: 'quay.io/ruben/cloudevents-player:latest', env: [{ name: 'BROKER_NAME', value: 'main' }] }],
        },
      },
    },
  })
  const subscriber = { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'player' } }
  await client.create(triggerKind, { metadata: inDefault('t'), spec: { broker: 'main', subscriber } })
  await eventually(client, triggerKind, 't', { type: 'Ready', status: 'True' })
  const { status } = await eventually(client, serviceKind, 'player', { type: 'Ready', status: 'True' })

  const { page, close } = await openPage(chromium!, status!.url!)
  onTestFinished(close)
  const rows = () =>
    page.evaluate<string[][]>(`[...document.querySelectorAll('#events tr')].map((row) => [...row.cells].map((cell) => cell.innerText))`)
  const shows = (expected: unknown) => vi.waitFor(async () => expect(await rows()).toEqual(expected), { timeout: 10_000, interval: 20 })

  // What is missing is said, and nothing is sent.
  await page.click('#send')
  expect(await page.text('#type-problem')).toBe('This is required.')
  await page.click('#generate')
  expect(await page.evaluate(`document.querySelector('#id').value`)).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  )
  await page.fill('#source', 'a b')
  expect(await page.text('#source-problem')).toMatch(/no spaces/)
  const broker = 'http://broker-ingress.knative-eventing.svc.cluster.local/default/main'
  await vi.waitFor(async () => expect(await page.text('#sink')).toBe(broker), { timeout: 10_000, interval: 20 })

  await page.fill('#id', 'über-1')
  // Shown as it is, not as a part of the page.
  await page.fill('#type', '<b>greeting</b>')
  await page.fill('#source', '/me')
  await page.fill('#message', '{"message": "Hello CloudEvents!"}')
  await page.click('#send')
  const row = (sign: string) => ['über-1', '<b>greeting</b>', '-', '/me', sign, expect.any(String), '✉']
  await vi.waitFor(async () => expect(await rows()).toHaveLength(2), { timeout: 10_000, interval: 20 })
  // Which of them is first is a matter of which answer was faster.
  expect(await rows()).toEqual(expect.arrayContaining([row('➤ sent'), row('✓ received')]))

  await page.click('#events tr[data-status="RECEIVED"] button')
  expect(JSON.parse(await page.text('#details'))).toMatchObject({
    id: 'über-1',
    data: { message: 'Hello CloudEvents!' },
    extensions: { knativearrivaltime: expect.any(String) },
  })
  if (process.env['KN_TEST_SCREENSHOT']) writeFileSync(process.env['KN_TEST_SCREENSHOT'], await page.screenshot())
  await page.click('#dialog button')

  await page.click('#clear')
  await shows([])
  expect(await page.text('#none')).toBe('No events yet.')
  expect(page.problems).toEqual([])
  expect(page.requests.filter((url) => !url.startsWith(`${status!.url}/`) && url !== 'data:,')).toEqual([])
})
