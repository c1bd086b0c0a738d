import type { CloudEvent } from '../../cloudevents/event.js'
import { jsonFromEvent } from '../../cloudevents/structured.js'

/** An event in the JSON format on one line. Data that has line ends between its JSON tokens goes in as base64, so that it keeps its bytes. */
export function lineFrom(event: CloudEvent): string {
  const text = jsonFromEvent(event).toString()
  if (!/[\r\n]/.test(text) || !event.data) return text
  const { data, ...rest } = event
  const head = jsonFromEvent(rest).toString()
  return `${head.slice(0, -1)},"data_base64":${JSON.stringify(data.toString('base64'))}}`
}

/** The lines of a text that say something, with their numbers from 1. */
export function linesOf(text: string): { number: number; line: string }[] {
  return text
    .split('\n')
    .map((line, index) => ({ number: index + 1, line }))
    .filter(({ line }) => line.trim() !== '')
}
