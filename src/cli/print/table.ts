/** How Go's text/tabwriter is set up: the least width of a cell, and the spaces that follow its text. */
export interface TabSettings {
  minWidth: number
  padding: number
}

/** As kn sets it up for lists, and for describe. */
export const LIST_TABS: TabSettings = { minWidth: 6, padding: 3 }
export const DESCRIBE_TABS: TabSettings = { minWidth: 0, padding: 2 }

/**
 * Aligns rows of cells as Go's tabwriter does: a column is as wide as the widest cell of the neighbouring rows that have it, and the last
 * cell of a row is in no column. So a short row ends the column for the rows below it.
 *
 * @see Go text/tabwriter
 */
export function tabbed(rows: readonly (readonly string[])[], { minWidth, padding }: TabSettings): string {
  const widths: number[][] = rows.map(() => [])
  const layOut = (column: number, from: number, to: number): void => {
    for (let row = from; row < to; row++) {
      if (column >= rows[row]!.length - 1) continue
      const start = row
      let width = minWidth
      for (; row < to && column < rows[row]!.length - 1; row++) width = Math.max(width, lengthOf(rows[row]![column]!) + padding)
      for (let inside = start; inside < row; inside++) widths[inside]![column] = width
      layOut(column + 1, start, row)
    }
  }
  layOut(0, 0, rows.length)
  return rows.map((cells, row) => `${cells.map((cell, column) => pad(cell, widths[row]![column] ?? 0)).join('')}\n`).join('')
}

/** A list as kn prints it; headers in upper case. Without headers when they are undefined (`--no-headers`). */
export function tableText(headers: readonly string[] | undefined, rows: readonly (readonly string[])[]): string {
  return tabbed(headers ? [headers.map((header) => header.toUpperCase()), ...rows] : rows, LIST_TABS)
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - lengthOf(text)))
}

/** In characters, not in UTF-16 units. */
function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length++
  return length
}
