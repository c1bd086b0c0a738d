import { type Container, type Pod, QUEUE_PROXY } from './schema.js'

/** Where a Pod's containers really listen. */
export interface PodPorts {
  /** Container port to loopback port. */
  numbers: Readonly<Record<string, number>>
  /** The loopback port that a container is told to listen on, by the container's name. */
  own: Readonly<Record<string, number>>
}

/** Where requests reach a Revision's queue-proxy; its behaviour is the gateway's, so they lead straight to the user container. */
const QUEUE_PROXY_PORTS = [8012, 8013, 8112]
/** What a port is expected at when nobody declared one: Knative's and most images' default. */
const USUAL_PORT = 8080

/**
 * A free loopback port for every declared container port, and one for each container without any. Two containers that
 * declare the same port share one, and the second will fail to bind it, as in a Pod's common network.
 */
export async function allocatePorts({ spec }: Pod, freePort: () => Promise<number>): Promise<PodPorts> {
  const numbers: Record<string, number> = {}
  const own: Record<string, number> = {}
  const workloads = spec.containers.filter(({ name }) => name !== QUEUE_PROXY)
  for (const { name, ports = [] } of workloads) {
    for (const { containerPort } of ports) numbers[containerPort] ??= await freePort()
    own[name] = ports[0] ? numbers[ports[0].containerPort]! : await freePort()
  }
  const serving = servingContainer(spec.containers)
  if (serving && !serving.ports?.length) numbers[USUAL_PORT] ??= own[serving.name]!
  if (serving && spec.containers.some(({ name }) => name === QUEUE_PROXY))
    for (const port of QUEUE_PROXY_PORTS) numbers[port] = own[serving.name]!
  return { numbers, own }
}

/** The container that answers requests: the first with a port, else the first. */
export function servingContainer(containers: readonly Container[]): Container | undefined {
  const workloads = containers.filter(({ name }) => name !== QUEUE_PROXY)
  return workloads.find(({ ports }) => ports?.length) ?? workloads[0]
}

/** The loopback port behind a container port, by number or by the name that `container` gives it; an undeclared one is itself. */
export function loopbackPort(ports: PodPorts, container: Container, port: number | string): number {
  const number = container.ports?.find(({ name }) => name === port)?.containerPort ?? Number(port)
  return ports.numbers[number] ?? number
}
