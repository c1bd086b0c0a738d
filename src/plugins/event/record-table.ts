import { ageCell } from '../../cli/print/lists.js'
import { tableText } from '../../cli/print/table.js'
import type { EventRecord } from '../../kinds/emulator/eventrecord/schema.js'

/** `broker/default`: who took an event. */
export function originText({ origin }: EventRecord['spec']): string {
  return `${origin.kind.toLowerCase()}/${origin.name}`
}

/** Records as lines of a table that may go on: later lines keep to the columns of the first ones while their cells fit. */
export function createRecordTable({ isWide, withNamespace }: { isWide: boolean; withNamespace: boolean }): {
  whole(records: readonly EventRecord[], options: { nowMs: number; headers: boolean }): string
  line(record: EventRecord, nowMs: number): string
} {
  const columns = [
    ...(withNamespace ? ['NAMESPACE'] : []),
    'ID',
    'TYPE',
    'SOURCE',
    'ORIGIN',
    'STATE',
    'AGE',
    ...(isWide ? ['SUBJECT', 'NAME'] : []),
  ]
  const cellsOf = (record: EventRecord, nowMs: number): string[] => {
    const { metadata, spec, status } = record
    return [
      ...(withNamespace ? [metadata.namespace ?? ''] : []),
      spec.id,
      spec.type,
      spec.source,
      originText(spec),
      status.state,
      ageCell(record, nowMs),
      ...(isWide ? [spec.subject ?? '', metadata.name] : []),
    ]
  }
  /** A row of these widths, under which the next one is laid out. */
  let widest = columns
  return {
    whole(records, { nowMs, headers }) {
      const rows = records.map((record) => cellsOf(record, nowMs))
      widest = columns.map((name, index) =>
        rows.map((cells) => cells[index]!).reduce((most, cell) => (cell.length > most.length ? cell : most), name),
      )
      return tableText(headers ? columns : undefined, rows)
    },
    line(record, nowMs) {
      return tableText(undefined, [widest, cellsOf(record, nowMs)])
        .split('\n')
        .slice(1)
        .join('\n')
    },
  }
}
