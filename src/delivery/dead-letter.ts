import type { CloudEvent } from '../cloudevents/event.js'
import { type Answer, urlFrom } from './send.js'

/** As many characters of base64 are kept of what the destination answered. @see knative/eventing v1.22 pkg/kncloudevents/event_dispatcher.go */
const MAX_DATA_CHARACTERS = 1024
/** The code of a destination that could not be reached. */
const UNREACHED_CODE = 500

/** A delivery that failed: where to, and with what. */
export interface Failure {
  readonly destination: string
  readonly answer: Answer
  /** Knative knows nothing more about it: the dead letter says nothing of the error. */
  readonly isSilent?: boolean
}

/**
 * The event as the dead letter sink gets it: with where it failed, the code, and the beginning of the answer. What is there
 * already, from an earlier failure, stays.
 * @see knative/eventing v1.22 pkg/kncloudevents/event_dispatcher.go, dispatchExecutionInfoTransformers
 */
export function deadLetterFrom(event: CloudEvent, { destination, answer, isSilent = false }: Failure): CloudEvent {
  if (isSilent) return event
  const attributes = new Map(event.attributes)
  const add = (name: string, value: string): void => {
    if (!attributes.has(name)) attributes.set(name, value)
  }
  add('knativeerrordest', destinationText(destination))
  add('knativeerrorcode', String(answer.statusCode ?? UNREACHED_CODE))
  const data = answer.error === undefined ? (answer.body ?? Buffer.alloc(0)) : Buffer.from(`dispatch error: ${answer.error}`)
  add('knativeerrordata', data.toString('base64').slice(0, MAX_DATA_CHARACTERS))
  return { ...event, attributes }
}

/** As it was configured, unless it is no URL of HTTP. */
function destinationText(destination: string): string {
  return /^https?:/i.test(destination) ? destination : urlFrom(destination).href
}
