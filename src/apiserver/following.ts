/**
 * Something made from a list that may change, made anew when it is asked after a change. `listOf` returns the same array for
 * as long as nothing has changed.
 */
export function following<I, T extends { answer(...args: never[]): unknown }>(
  listOf: () => readonly I[],
  make: (list: readonly I[]) => T,
): Pick<T, 'answer'> {
  let list = listOf()
  let made = make(list)
  return {
    answer(...args: Parameters<T['answer']>) {
      const now = listOf()
      if (now !== list) {
        list = now
        made = make(now)
      }
      return made.answer(...args)
    },
  } as Pick<T, 'answer'>
}
