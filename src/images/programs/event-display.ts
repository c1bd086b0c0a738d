/** @see knative/eventing v1.22 cmd/event_display */
import { eventText } from '../event-text.js'
import { type ReceivedEvent, serveEvents } from '../events.js'
import { printBytes } from '../program.js'

serveEvents(
  (received) => {
    const text = eventText(received.event, { isBase64: cameAsBase64(received) })
    printBytes('stdout', Buffer.concat([Buffer.from('☁️  cloudevents.Event\n'), text]))
    return undefined
  },
  { healthPath: '/healthz' },
)

function cameAsBase64({ mode, body }: ReceivedEvent): boolean {
  if (mode === 'binary') return false
  const { data_base64: data } = JSON.parse(body.toString()) as { data_base64?: unknown }
  return typeof data === 'string'
}
