/**
 * What the commands use of oclif's class model, and nothing else: the installed program is bundled with this in place of
 * `@oclif/core`, whose loading costs several times what a whole `kn version` may take. Types come from oclif itself (the
 * sources are checked against it); bin/dev.js runs the same commands on the real one, and a test compares the two.
 */

interface LightConfig {
  bin: string
  options: object
}

/** Base class of every command. `run` on the class makes one and runs it; errors are left to the caller. */
export abstract class Command {
  static args: Record<string, object> = {}
  static baseFlags: Record<string, object> | undefined
  static flags: Record<string, object> | undefined
  static aliases: string[] = []
  static hiddenAliases: string[] = []
  static examples: unknown[] | undefined
  static description: string | undefined
  static summary: string | undefined
  static usage: string | string[] | undefined
  static hidden = false
  static strict = true
  static enableJsonFlag = false
  static id: string

  argv: string[]
  config: LightConfig
  id: string | undefined

  constructor(argv: string[], config: LightConfig) {
    this.argv = argv
    this.config = config
    this.id = this.ctor.id
  }

  static async run(this: new (argv: string[], config: LightConfig) => Command, argv: string[], config: LightConfig): Promise<unknown> {
    return new this(argv, config)._run()
  }

  get ctor(): typeof Command {
    return this.constructor as typeof Command
  }

  abstract run(): Promise<unknown>

  protected async init(): Promise<void> {}

  protected async catch(error: Error): Promise<unknown> {
    throw error
  }

  protected async finally(_: Error | undefined): Promise<void> {}

  protected async _run(): Promise<unknown> {
    let failure: Error | undefined
    try {
      await this.init()
      return await this.run()
    } catch (error) {
      failure = error as Error
      return await this.catch(failure)
    } finally {
      await this.finally(failure)
    }
  }
}

type Parse = (input: string, context: unknown, options: Record<string, unknown>) => Promise<unknown>
type Definition = Record<string, unknown> & { parse?: Parse }

const verbatim: Parse = async (input) => input

const define =
  (defaults: Definition) =>
  (options: Definition = {}): Definition => ({ parse: verbatim, ...defaults, ...options, input: [] })

const option =
  (defaults: Definition = {}) =>
  (options: Definition = {}): Definition => {
    const made = define(defaults)(options)
    return { ...made, multiple: Boolean(made['multiple']), type: 'option' }
  }

const wholeNumber: Parse = async (input, _, { min, max }) => {
  if (!/^-?\d+$/.test(input)) throw new Error(`Expected an integer but received: ${input}`)
  const number = Number.parseInt(input, 10)
  if (min !== undefined && number < (min as number))
    throw new Error(`Expected an integer greater than or equal to ${min} but received: ${input}`)
  if (max !== undefined && number > (max as number))
    throw new Error(`Expected an integer less than or equal to ${max} but received: ${input}`)
  return number
}

export const Flags = {
  custom: option,
  string: option(),
  file: option(),
  directory: option(),
  option: option(),
  integer: option({ parse: wholeNumber }),
  boolean: (options: Record<string, unknown> = {}): Record<string, unknown> => ({
    parse: async (input: boolean) => input,
    ...options,
    allowNo: Boolean(options['allowNo']),
    type: 'boolean',
  }),
}

export const Args = {
  custom: define,
  string: define({}),
  file: define({}),
  directory: define({}),
  integer: define({ parse: wholeNumber }),
}
