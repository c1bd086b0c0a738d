import { expect, test } from 'vitest'
import { loopbackPortsOf, PORTS_ANNOTATION } from '../../../../src/kinds/core/pod/schema.js'

test.each([
  ['{"80":20001,"443":20002}', { 80: 20001, 443: 20002 }],
  ['{"80":"20001","81":0,"82":65536,"83":1.5,"84":20001}', { 84: 20001 }],
  ['null', {}],
  ['[', {}],
  ['7', {}],
  ['', {}],
])('whoever writes the annotation: %s', (text, ports) => {
  expect(loopbackPortsOf({ metadata: { name: 'web', annotations: { [PORTS_ANNOTATION]: text } } })).toEqual(ports)
})

test('a Pod that is not there, or has none yet, has no ports', () => {
  expect(loopbackPortsOf(undefined)).toEqual({})
  expect(loopbackPortsOf({ metadata: { name: 'web' } })).toEqual({})
})
