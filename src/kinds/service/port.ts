import type { AdmissionContext } from '../../apimachinery/kind.js'
import { refText } from '../../apimachinery/object.js'
import { coreServiceKind } from '../core/service/kind.js'
import { serviceKind } from './kind.js'
import { PORT_ANNOTATION, type Service } from './schema.js'

/** The range Kubernetes gives node ports from; a core Service's node port and a Service's loopback port are never the same. */
const FIRST_PORT = 30_000
const LAST_PORT = 32_767

/**
 * Gives a Service its loopback port: by a hash of its name, so that the same Service gets the same port again, or the
 * next free one. An update keeps the port, whatever it says.
 */
export function assignPort(draft: Service, context: AdmissionContext<Service>): void {
  const kept = context.old?.metadata.annotations?.[PORT_ANNOTATION]
  const port = kept ?? String(freePort(draft, context))
  if (draft.metadata.annotations?.[PORT_ANNOTATION] !== port) {
    draft.metadata.annotations = { ...draft.metadata.annotations, [PORT_ANNOTATION]: port }
  }
}

function freePort(draft: Service, context: AdmissionContext<Service>): number {
  const self = refText(draft.metadata)
  const taken = new Set<number>()
  for (const { metadata } of context.list(serviceKind)) {
    if (refText(metadata) !== self) taken.add(Number(metadata.annotations?.[PORT_ANNOTATION]))
  }
  for (const { spec } of context.list(coreServiceKind)) for (const { nodePort } of spec.ports ?? []) if (nodePort) taken.add(nodePort)

  const isFree = (port: number): boolean => Number.isInteger(port) && port >= FIRST_PORT && port <= LAST_PORT && !taken.has(port)
  const asked = Number(draft.metadata.annotations?.[PORT_ANNOTATION])
  if (isFree(asked)) return asked
  const count = LAST_PORT - FIRST_PORT + 1
  const start = hash(self) % count
  for (let step = 0; step < count; step++) {
    const port = FIRST_PORT + ((start + step) % count)
    if (isFree(port)) return port
  }
  throw new Error(`all ports from ${FIRST_PORT} to ${LAST_PORT} are taken`)
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0
  return value
}
