import type { Condition } from '../../src/apimachinery/conditions.js'
import type { Kind } from '../../src/apimachinery/kind.js'
import type { Draft, KubeObject, ObjectRef } from '../../src/apimachinery/object.js'
import { createSystemClock } from '../../src/base/clock.js'
import type { Client } from '../../src/client/client.js'
import type { Container } from '../../src/kinds/core/pod/schema.js'
import type { Service } from '../../src/kinds/service/schema.js'
import { HELLO_IMAGE } from './emulator.js'

/** A Knative Service in namespace default; what the test is about is given, the rest is plain. */
export function aService(
  options: { name: string; container?: Partial<Container>; annotations?: Record<string, string>; template?: object } = { name: 'hello' },
): Draft<Service> {
  const { name, container, annotations, template } = options
  return {
    metadata: { name, namespace: 'default' },
    spec: {
      template: {
        ...(annotations && { metadata: { annotations } }),
        spec: { containers: [{ image: HELLO_IMAGE, ...container } as Container], ...template },
      },
    },
  }
}

interface WithConditions extends KubeObject {
  status?: { observedGeneration?: number; conditions?: Condition[] }
}

/** Waits (real time) until an object has a condition like `wanted` at its present generation, and resolves to the object. */
export async function eventually<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  name: string,
  wanted: Partial<Condition>,
  timeoutMs = 15_000,
): Promise<T> {
  return eventuallyIs(client, kind, { namespace: 'default', name }, timeoutMs, JSON.stringify(wanted), (object) => {
    const { metadata, status } = object as WithConditions
    if (status?.observedGeneration !== metadata.generation) return false
    const found = status?.conditions?.find(({ type }) => type === (wanted.type ?? 'Ready'))
    return found !== undefined && Object.entries(wanted).every(([field, value]) => found[field as keyof Condition] === value)
  })
}

/** Waits until `holds` is true of an object. */
export async function eventuallyIs<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  ref: ObjectRef,
  timeoutMs: number,
  what: string,
  holds: (object: T) => boolean,
): Promise<T> {
  const clock = createSystemClock()
  const deadlineMs = clock.now() + timeoutMs
  for (;;) {
    const object = await client.find(kind, ref)
    if (object && holds(object)) return object
    if (clock.now() > deadlineMs) {
      throw new Error(
        `${kind.kind} ${ref.name} never was ${what}; it is ${JSON.stringify((object as WithConditions | undefined)?.status, null, 1)}`,
      )
    }
    await clock.sleep(10)
  }
}

/** Waits until there is no object of a kind whose name begins with `prefix`. */
export async function eventuallyNone(client: Client, kinds: readonly Kind[], prefix: string, timeoutMs = 15_000): Promise<void> {
  const clock = createSystemClock()
  const deadlineMs = clock.now() + timeoutMs
  for (;;) {
    const left: string[] = []
    for (const kind of kinds) {
      for (const { metadata } of await client.list(kind, 'default'))
        if (metadata.name.startsWith(prefix)) left.push(`${kind.kind} ${metadata.name}`)
    }
    if (left.length === 0) return
    if (clock.now() > deadlineMs) throw new Error(`still there: ${left.join(', ')}`)
    await clock.sleep(20)
  }
}
