import { expect, test } from 'vitest'
import { DESCRIBE_TABS, tabbed, tableText } from '../../../../src/cli/print/table.js'

test('cells of a list are at least six wide and three apart, and the last one is not padded', () => {
  expect(
    tableText(
      ['Name', 'URL', 'Reason'],
      [
        ['a', 'http://a', ''],
        ['longer-name', 'http://b', 'No : way'],
      ],
    ),
  ).toBe(['NAME          URL        REASON', 'a             http://a   ', 'longer-name   http://b   No : way', ''].join('\n'))
  expect(tableText(undefined, [['a', 'b']])).toBe('a     b\n')
})

test('a row that lacks a column ends it for the rows below', () => {
  expect(tabbed([['Name:', 'x'], ['A long label:', 'y'], [''], ['Z:', 'z']], DESCRIBE_TABS)).toBe(
    'Name:         x\nA long label:  y\n\nZ:  z\n'.replace('Name:         x', 'Name:          x'),
  )
})

test('widths count characters', () => {
  expect(
    tabbed(
      [
        ['∞', 'x'],
        ['ab', 'y'],
      ],
      DESCRIBE_TABS,
    ),
  ).toBe('∞   x\nab  y\n')
})
