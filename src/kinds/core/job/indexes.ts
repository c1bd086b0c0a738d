/** Sets of completion indexes, and the text in which a Job's status holds them: `1,3-5,7`. */

/** The indexes that a text names, those below `count`; what cannot be read names none. */
export function indexesFrom(text: string | undefined, count = Number.POSITIVE_INFINITY): Set<number> {
  const found = new Set<number>()
  for (const part of (text ?? '').split(',')) {
    const bounds = /^(\d+)(?:-(\d+))?$/.exec(part)
    if (!bounds) continue
    const last = Math.min(Number(bounds[2] ?? bounds[1]), count - 1)
    for (let index = Number(bounds[1]); index <= last; index++) found.add(index)
  }
  return found
}

/** Runs of three and more, and of two, are written as intervals of their ends: `0,1` as upstream's `0,1`, `0-2` for three. */
export function indexesText(indexes: ReadonlySet<number>): string {
  const parts: string[] = []
  const sorted = [...indexes].sort((a, b) => a - b)
  for (let start = 0; start < sorted.length; ) {
    let end = start
    while (sorted[end + 1] === sorted[end]! + 1) end++
    const [first, last] = [sorted[start]!, sorted[end]!]
    parts.push(first === last ? `${first}` : `${first}${last === first + 1 ? ',' : '-'}${last}`)
    start = end + 1
  }
  return parts.join(',')
}
