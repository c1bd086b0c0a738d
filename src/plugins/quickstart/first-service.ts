import { request } from 'node:http'
import type { Draft } from '../../apimachinery/object.js'
import type { Clock } from '../../base/clock.js'
import { UserError } from '../../base/user-error.js'
import { type LocalCluster, templateText } from '../../cli/local-cluster.js'
import type { Client } from '../../client/client.js'
import { waitForReady } from '../../client/wait.js'
import { serviceKind } from '../../kinds/service/kind.js'
import type { Service } from '../../kinds/service/schema.js'

const NAMESPACE = 'default'
const WAIT_SECONDS = 60

/** The manifest that the quickstart applies, the documentation shows and the tests use. */
export async function quickstartService(): Promise<Draft<Service>> {
  const { parse } = await import('yaml')
  return parse(await templateText('manifests/hello.yaml')) as Draft<Service>
}

/** Creates the service unless there is one of that name, and waits until it is ready. */
export async function createOrKeep(options: {
  client: Client
  clock: Clock
  draft: Draft<Service>
  onStep: (text: string) => void
}): Promise<Service> {
  const { client, clock, draft, onStep } = options
  const ref = { namespace: NAMESPACE, name: draft.metadata.name! }
  if (await client.find(serviceKind, ref)) {
    onStep(`Service '${ref.name}' is there already.`)
  } else {
    onStep(`Creating service '${ref.name}' from ${draft.spec.template.spec.containers[0]!.image} ...`)
    await client.create(serviceKind, { ...draft, metadata: { ...draft.metadata, namespace: NAMESPACE } })
  }
  return waitForReady({ client, kind: serviceKind, ref, clock, timeoutSeconds: WAIT_SECONDS, windowSeconds: 2 })
}

/** What the service answers. Names below localhost are this machine, whatever its resolver thinks of them. */
export function callService(url: string): Promise<string> {
  const { host, hostname, port } = new URL(url)
  const address = hostname === 'localhost' || hostname.endsWith('.localhost') ? '127.0.0.1' : hostname
  const failed = (why: string): UserError =>
    new UserError({
      code: 'service-unreachable',
      what: `cannot call ${url}`,
      why,
      remedies: ['kn service describe hello', 'kn emulator logs'],
    })
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: address, port: port || 80, headers: { host }, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        body += text
      })
      response.on('end', () =>
        response.statusCode === 200 ? resolve(body) : reject(failed(`it answered ${response.statusCode}: ${body.trim()}`)),
      )
      response.on('error', (error) => reject(failed(error.message)))
    })
    outgoing.on('error', (error) => reject(failed(error.message)))
    outgoing.end()
  })
}

/** What to type next, once the service answers at `url`. The context is named where plain commands would go to another cluster. */
export function nextSteps(url: string, { context: own, isCurrent, stopCommand }: LocalCluster): string[] {
  const context = isCurrent ? undefined : own
  const kn = context ? `kn --context ${context}` : 'kn'
  const kubectl = context ? `kubectl --context ${context}` : 'kubectl'
  return [
    '',
    'It runs. What next:',
    `  curl ${url}`,
    `  ${kn} service update hello --env TARGET=Knative`,
    `  ${kn} service describe hello`,
    `  ${kubectl} get ksvc,revisions,pods`,
    `  ${kn} image list`,
    `  ${stopCommand}`,
  ]
}
