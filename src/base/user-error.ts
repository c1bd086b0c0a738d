/** What went wrong, for the person at the terminal: never a stack trace. Codes are listed in src/cli/README.md. */
export class UserError extends Error {
  readonly code: string
  readonly what: string
  readonly why: string | undefined
  /** Commands or sentences that would help, the likeliest first; shown on a terminal only. */
  readonly remedies: readonly string[]

  constructor(options: { code: string; what: string; why?: string; remedies?: readonly string[]; cause?: unknown }) {
    super(options.why ? `${options.what}: ${options.why}` : options.what, { cause: options.cause })
    this.name = 'UserError'
    this.code = options.code
    this.what = options.what
    this.why = options.why
    this.remedies = options.remedies ?? []
  }
}
