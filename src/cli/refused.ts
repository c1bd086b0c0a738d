import { StatusError } from '../apimachinery/status-error.js'
import { UserError } from '../base/user-error.js'

/**
 * Does something; when it is refused, the error says first what was not to be, as some of kn's commands have it:
 * `cannot create broker 'x' in namespace 'default' because: …`. Bugs go through as they are.
 */
export async function orBecause<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof UserError) {
      const { code, message, remedies } = error
      throw new UserError({ code, what: `${what} because: ${message}`, remedies, cause: error })
    }
    if (error instanceof StatusError) throw new UserError({ code: 'refused', what: `${what} because: ${error.message}`, cause: error })
    throw error
  }
}
