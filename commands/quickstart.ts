import { UserError } from '../src/base/user-error.js'
import { KnCommand } from '../src/cli/kn-command.js'
import { instanceDeps, instanceFlag } from '../src/cli/nouns/emulator.js'

export default class Quickstart extends KnCommand {
  static override summary = 'From nothing to a running service, on this machine'
  static override description =
    'Starts the emulator, creates the service "hello" from a sample image, calls its URL and prints the answer. Run again, it uses what is there.'
  static override flags = { ...instanceFlag }

  async run(): Promise<void> {
    const { flags } = await this.parse(Quickstart)
    const { publishContext, startInstance } = await import('../src/emulator/instance.js')
    const { contextName } = await import('../src/emulator/paths.js')
    const { callService, createOrKeep, nextSteps, quickstartService } = await import('../src/cli/nouns/quickstart.js')
    const deps = instanceDeps(this.world)
    const onStep = (text: string): void => this.logToStderr(text)

    const instance = await startInstance({ name: flags.name, onStarting: () => onStep(`Starting the emulator '${flags.name}' ...`) }, deps)
    const { isCurrent } = await publishContext(instance, { use: false }, deps)
    const client = await this.connect({ kubeconfig: instance.paths.kubeconfig })

    const { status } = await createOrKeep({ client, clock: this.world.clock, draft: await quickstartService(), onStep })
    if (!status?.url) throw new UserError({ code: 'no-url', what: "service 'hello' has no URL", remedies: ['kn service describe hello'] })
    onStep(`Calling ${status.url} ...`)
    this.log((await callService(status.url)).trimEnd())
    for (const line of nextSteps({ url: status.url, context: isCurrent ? undefined : contextName(flags.name), instance: flags.name }))
      onStep(line)
  }
}
