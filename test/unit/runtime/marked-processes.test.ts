import { expect, test } from 'vitest'
import { markedInListing } from '../../../src/runtime/marked-processes.js'

test('only lines with exactly this marker count, wherever in the environment it stands', () => {
  const listing = [
    '  101 /bin/sleep 60 PATH=/bin KN_LOCAL_INSTANCE=abc HOME=/',
    '  102 /bin/sleep 60 KN_LOCAL_INSTANCE=abcd',
    '  103 /bin/sleep 60 KN_LOCAL_INSTANCE=abc',
    '  104 /bin/sleep 60 XKN_LOCAL_INSTANCE=abc',
    '',
  ].join('\n')
  expect(markedInListing(listing, 'abc')).toEqual([101, 103])
})
