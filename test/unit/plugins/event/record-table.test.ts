import { expect, test } from 'vitest'
import { createRecordTable } from '../../../../src/plugins/event/record-table.js'
import { shownText } from '../../../../src/plugins/event/shown.js'
import { aHop, aRecord } from './records.js'

const NOW = Date.parse('2026-01-01T12:00:10Z')

test('events are listed with who took them and what became of them', () => {
  const table = createRecordTable({ isWide: false, withNamespace: false })
  expect(table.whole([aRecord(), aRecord({ id: 'b2' }, { state: 'DeadLettered' })], { nowMs: NOW, headers: true })).toBe(
    'ID    TYPE         SOURCE   ORIGIN           STATE          AGE\n' +
      'a1    order.paid   /shop    broker/default   Accepted       10s\n' +
      'b2    order.paid   /shop    broker/default   DeadLettered   10s\n',
  )
})

test('a later line keeps to the columns of the list', () => {
  const table = createRecordTable({ isWide: true, withNamespace: true })
  const list = table.whole([aRecord()], { nowMs: NOW, headers: true })
  const line = table.line(aRecord({ id: 'z', subject: 's' }, {}, 'e0000000009'), NOW)
  expect(line.indexOf('order.paid')).toBe(list.split('\n')[1]!.indexOf('order.paid'))
  expect(line).toMatch(/^default {5}z .* s +e0000000009\n$/)
})

test('an event is shown with its attributes in order, its data spread out, and where it went', () => {
  const record = aRecord(
    {
      attributes: { zone: 'eu', type: 'order.paid', specversion: '1.0', id: 'a1', source: '/shop', datacontenttype: 'application/json' },
      data: Buffer.from('{"a":1}').toString('base64'),
      dataBytes: 7,
    },
    { state: 'Delivered', hops: [aHop('mail', 'Delivered')] },
  )
  expect(shownText(record, '10s')).toBe(`Record:    e0000000001
Origin:    Broker default/default, offset 0
Accepted:  2026-01-01T12:00:00.250Z (10s ago)
State:     Delivered

Attributes:
  specversion:      1.0
  id:               a1
  source:           /shop
  type:             order.paid
  datacontenttype:  application/json
  zone:             eu

Data:
  {
    "a": 1
  }

Hops:
  Trigger mail:  Delivered
`)
})

test('data that is no text is shown as base64, and what was not kept is said', () => {
  expect(shownText(aRecord({ data: 'AP8=', dataBytes: 2 }), '1s')).toContain('Data:\n  AP8=\n  (base64 of 2 bytes)\n')
  expect(shownText(aRecord({ data: 'YWI=', dataBytes: 100 }), '1s')).toContain('  ab\n  (2 of 100 bytes were kept)\n')
  expect(shownText(aRecord({ dataBytes: 100 }), '1s')).toContain('Data:\n  (0 of 100 bytes were kept)\n')
  expect(shownText(aRecord(), '1s')).not.toContain('Data:')
})
