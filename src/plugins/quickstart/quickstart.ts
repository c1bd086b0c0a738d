import { UserError } from '../../base/user-error.js'
import { KnCommand } from '../../cli/kn-command.js'
import { instanceFlag } from '../../cli/nouns/emulator.js'
import { quickstart } from './manifest.js'

export default class Quickstart extends KnCommand {
  static override summary = quickstart.summary
  static override description =
    `Starts the emulator, creates the service "hello" from a sample image, calls its URL and prints the answer. Run again, it uses what is there.

${quickstart.lacks}`
  static override flags = { ...instanceFlag }

  async run(): Promise<void> {
    const { flags } = await this.parse(Quickstart)
    const { ensureLocalCluster } = await import('../../cli/local-cluster.js')
    const { callService, createOrKeep, nextSteps, quickstartService } = await import('./first-service.js')
    const onStep = (text: string): void => this.logToStderr(text)

    const cluster = await ensureLocalCluster(flags.name, this.world, () => onStep(`Starting the emulator '${flags.name}' ...`))
    const client = await this.connect({ kubeconfig: cluster.kubeconfig })

    const { status } = await createOrKeep({ client, clock: this.world.clock, draft: await quickstartService(), onStep })
    if (!status?.url) throw new UserError({ code: 'no-url', what: "service 'hello' has no URL", remedies: ['kn service describe hello'] })
    onStep(`Calling ${status.url} ...`)
    this.log((await callService(status.url)).trimEnd())
    for (const line of nextSteps(status.url, cluster)) onStep(line)
  }
}
