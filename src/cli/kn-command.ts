import { Command, type Interfaces } from '@oclif/core'
import type { Destination } from '../apimachinery/destination.js'
import type { Client } from '../client/client.js'
import { flagLabel, type GivenFlag, invalidArgument, parseArguments, usageError } from './arguments.js'
import type { Connected } from './connect.js'
import { globalFlags } from './flags.js'
import type { FlagContext } from './nouns/service.js'
import { readFileIfExists } from './read-file.js'
import { processWorld, type World } from './world.js'

/** Ends a command that has done all it had to do (it printed its help): exit code 0. */
export class CommandDone extends Error {}

/** The flags that say which server is meant; parsed flags of any command carry them. */
export interface TargetFlags {
  kubeconfig?: string | undefined
  context?: string | undefined
  cluster?: string | undefined
  as?: string | undefined
  'as-uid'?: string | undefined
  'as-group'?: string[] | undefined
  'log-http'?: boolean | undefined
  config?: string | undefined
}

/** A flag definition of oclif with the few additions of ours, as the parser looks at it. */
interface Definition {
  type: 'boolean' | 'option'
  char?: string
  aliases?: string[]
  multiple?: boolean
  delimiter?: ','
  allowNo?: boolean
  required?: boolean
  default?: unknown
  options?: readonly string[]
  onlyOnce?: boolean
  deprecated?: true | { to?: string }
  parse(input: unknown, context: unknown, definition: unknown): Promise<unknown>
}

/** `--help`, which every command and group has. */
export const HELP_RULE = { type: 'boolean', char: 'h' } as const

/**
 * Base of every command: kn's argument rules over oclif's definitions, the way to the server, and where output goes.
 *
 * `parse` returns what oclif's does; besides, `given` holds the flags in the order of the command line and `isGiven` says
 * which of them were there. Throw UserError (or let StatusError through) to fail: the program prints it as kn does, with
 * the usage hint, and exits 1. Anything else thrown is a bug of ours: exit 70 with its stack.
 */
export abstract class KnCommand extends Command {
  static override baseFlags = globalFlags

  /** Flags in the order in which they were given; filled by `parse`. */
  protected given: readonly GivenFlag[] = []
  private connected: Connected | undefined

  /** Environment, output and time of this run. */
  protected get world(): World {
    return (this.config.options as { world?: World }).world ?? processWorld()
  }

  /** The words that name this command, without the program: `service create`. */
  protected get path(): string {
    return (this.ctor.id ?? '').replaceAll(':', ' ')
  }

  /** Whether any of these flags stood on the command line (a default does not count). */
  protected isGiven(...names: readonly string[]): boolean {
    return this.given.some(({ name }) => names.includes(name))
  }

  /** A line of the result, on standard output. */
  override log(text = ''): void {
    this.world.stdout.write(`${text}\n`)
  }

  /** Text of the result as it is, on standard output. */
  protected print(text: string): void {
    if (text !== '') this.world.stdout.write(text)
  }

  /** A line beside the result: progress of commands that real kn lacks, warnings of the API server. */
  override logToStderr(text = ''): void {
    this.world.stderr.write(`${text}\n`)
  }

  /** oclif must not set an exit code or decorate anything: the program prints the error. */
  protected override async catch(error: Error): Promise<never> {
    throw error
  }

  /**
   * A client of the server these flags choose (docs/architecture.md), starting the emulator when that is what is meant.
   * Throws UserError when there is no usable kubeconfig; whether the server answers is seen with the first call.
   */
  protected async connect(flags: TargetFlags): Promise<Client> {
    return (await this.reach(flags)).client
  }

  /** The namespace a command works in: `-n`, else the one of the context, else `default`. Only after `connect`. */
  protected namespaceOf(flags: { namespace?: string | undefined }): string {
    if (flags.namespace) return flags.namespace
    if (!this.connected) throw new Error('namespaceOf before connect')
    return this.connected.namespace
  }

  /** Like namespaceOf, but undefined (all namespaces) with `-A`. */
  protected namespacesOf(flags: { namespace?: string | undefined; 'all-namespaces'?: boolean | undefined }): string | undefined {
    return flags['all-namespaces'] ? undefined : this.namespaceOf(flags)
  }

  /** Client, namespace and address of the server; made once. */
  protected async reach(flags: TargetFlags): Promise<Connected> {
    if (!this.connected) {
      const { connectTo } = await import('./connect.js')
      this.connected = await connectTo(flags, this.world)
    }
    return this.connected
  }

  /** What time it is for the objects of the server, which ages are measured by: ask after they were read. */
  protected nowMs(): number {
    return this.connected?.nowMs() ?? this.world.clock.now()
  }

  /** What flags become an object with: their order, the time, chance, the files they name. */
  protected async flagContext(): Promise<FlagContext> {
    const { createSystemRandom } = await import('../base/random.js')
    const random = createSystemRandom()
    return { given: this.given, nowMs: this.world.clock.now(), random: () => random.float(), readFile: (path) => this.readNamedFile(path) }
  }

  /**
   * The destination that a sink flag means, the prefixes of the configuration file included; undefined for ''. Throws what the API refuses,
   * so also that there is no such object.
   */
  protected async resolveSink(
    client: Client,
    sink: string,
    flags: { namespace?: string | undefined; config?: string | undefined },
  ): Promise<Destination | undefined> {
    const [{ destinationOf, sinkFrom }, { sinkMappings }] = await Promise.all([import('./nouns/sink.js'), import('./sink-mappings.js')])
    const meant = sinkFrom(sink, await sinkMappings(flags.config, this.world))
    return meant && destinationOf(client, meant, this.namespaceOf(flags))
  }

  /** The text of a file that a flag names; `-` is standard input. Throws a usage error in Go's words when it cannot be read. */
  protected async readInput(path: string): Promise<string> {
    return path === '-' ? this.world.readStdin() : this.readNamedFile(path)
  }

  private readNamedFile(path: string): string {
    try {
      const text = readFileIfExists(path)
      if (text !== undefined) return text
    } catch (error) {
      throw usageError(`open ${path}: ${(error as Error).message}`)
    }
    throw usageError(`open ${path}: no such file or directory`)
  }

  /** The only positional argument, or a usage error with kn's words for this command when there is none or more than one. */
  protected single(argv: readonly unknown[], message: string): string {
    if (argv.length !== 1) throw usageError(message)
    return argv[0] as string
  }

  protected override async parse<F extends Record<string, unknown>, B extends Record<string, unknown>, A extends Record<string, unknown>>(
    options?: Interfaces.Input<F, B, A>,
    argv: string[] = this.argv,
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    const input = options ?? (this.ctor as unknown as Interfaces.Input<F, B, A>)
    const definitions = { ...this.ctor.baseFlags, ...input.baseFlags, ...input.flags } as unknown as Record<string, Definition>
    const { given, positionals, pairProblem } = this.split(definitions, argv)
    this.given = given
    // Tells stock oclif that arguments were looked at.
    this.parsed = true
    if (this.isGiven('help')) await this.showHelp()
    if (pairProblem) throw usageError(pairProblem)

    const flags = await this.flagValues(definitions, given)
    const args = await this.argumentValues((input.args ?? {}) as Record<string, Definition>, positionals)
    const metadata: { flags: Record<string, { setFromDefault: boolean }> } = { flags: {} }
    for (const name of Object.keys(flags)) if (!this.isGiven(name)) metadata.flags[name] = { setFromDefault: true }
    const raw = given.map(({ name, value }) => ({ type: 'flag' as const, flag: name, input: value }))
    return { flags, args, argv: [...positionals], raw, metadata, nonExistentFlags: [] } as unknown as Interfaces.ParserOutput<F, B, A>
  }

  private split(definitions: Record<string, Definition>, argv: string[]): ReturnType<typeof parseArguments> {
    return this.named(() => {
      const parsed = parseArguments({ ...definitions, help: HELP_RULE }, argv)
      const seen = new Set<string>()
      for (const { name, value } of parsed.given) {
        if (definitions[name]?.onlyOnce && seen.has(name)) {
          throw invalidArgument(value, flagLabel(name, definitions[name]), 'can be provided only once')
        }
        seen.add(name)
      }
      return parsed
    })
  }

  private async flagValues(definitions: Record<string, Definition>, given: readonly GivenFlag[]): Promise<Record<string, unknown>> {
    const values: Record<string, unknown> = {}
    for (const { name, value, values: parts } of given) {
      const definition = definitions[name]
      if (!definition) continue
      this.warnIfDeprecated(name, definition)
      if (definition.type === 'boolean') {
        values[name] = value === 'true'
        continue
      }
      const parsed: unknown[] = []
      for (const part of parts) parsed.push(await this.flagValue(name, definition, part))
      values[name] = definition.multiple ? [...((values[name] as unknown[] | undefined) ?? []), ...parsed] : parsed[0]
    }
    const missing = Object.keys(definitions).filter((name) => definitions[name]!.required && values[name] === undefined)
    if (missing.length > 0) {
      throw usageError(
        `required flag(s) ${missing
          .sort()
          .map((name) => `"${name}"`)
          .join(', ')} not set`,
      )
    }
    for (const [name, definition] of Object.entries(definitions)) {
      if (values[name] === undefined && definition.default !== undefined) values[name] = definition.default
      if (values[name] === undefined && definition.type === 'boolean') values[name] = false
    }
    return values
  }

  private async flagValue(name: string, definition: Definition, text: string): Promise<unknown> {
    const fail = (why: string): Error => {
      try {
        return this.named(() => {
          throw invalidArgument(text, flagLabel(name, definition), why)
        })
      } catch (error) {
        return error as Error
      }
    }
    if (definition.options && !definition.options.includes(text)) throw fail(`must be one of ${definition.options.join(', ')}`)
    try {
      return await definition.parse(text, this, definition)
    } catch (error) {
      throw fail((error as Error).message)
    }
  }

  private async argumentValues(definitions: Record<string, Definition>, positionals: readonly string[]): Promise<Record<string, unknown>> {
    const values: Record<string, unknown> = {}
    let at = 0
    for (const [name, definition] of Object.entries(definitions)) {
      const own = definition.multiple ? positionals.slice(at) : positionals.slice(at, at + 1)
      at += own.length
      if (own.length === 0) {
        if (definition.required) throw usageError(`'${this.world.bin} ${this.path}' requires ${name.toUpperCase()}`)
        if (definition.default !== undefined) values[name] = definition.default
        continue
      }
      const parsed: unknown[] = []
      for (const text of own) {
        try {
          parsed.push(await definition.parse(text, this, definition))
        } catch (error) {
          throw usageError(`'${this.world.bin} ${this.path}': invalid ${name.toUpperCase()} "${text}": ${(error as Error).message}`)
        }
      }
      values[name] = definition.multiple ? parsed : parsed[0]
    }
    return values
  }

  private warnIfDeprecated(name: string, { deprecated }: Definition): void {
    if (typeof deprecated === 'object' && deprecated.to)
      this.logToStderr(`Flag --${name} has been deprecated, use --${deprecated.to} instead`)
  }

  /** Adds to a mistake which command it was made on, which is also how the usage hint finds the command. */
  private named<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw usageError(`${(error as Error).message} for '${this.world.bin} ${this.path}'`)
    }
  }

  private async showHelp(): Promise<never> {
    const { commandHelp } = await import('./print/help.js')
    this.print(commandHelp(this.ctor, this.path, this.world))
    throw new CommandDone('help was shown')
  }
}
