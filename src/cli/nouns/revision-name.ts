import { usageError } from '../arguments.js'
import type { ServiceDraft } from './service.js'

const CONSONANTS = 'bcdfghjklmnpqrstvwxyz'

/**
 * The name that --revision-name gives the next revision: `{{.Service}}`, `{{.Generation}}` (of the revision to come) and `{{.Random N}}`
 * are filled in, and the service's name goes before it where that is missing. Undefined for an empty template: the server names it.
 *
 * @see knative/client pkg/serving/revision_template.go
 */
export function revisionNameFrom(template: string, service: ServiceDraft, random: () => number): string | undefined {
  if (template === '') return undefined
  const { name = '', generation = 0 } = service.metadata
  const filled = template.replaceAll(/\{\{-?\s*(.*?)\s*-?\}\}/g, (_, expression: string) => {
    const randomLength = /^\.Random\s+(\d+)$/.exec(expression)?.[1]
    if (expression === '.Service') return name
    if (expression === '.Generation') return String(generation + 1)
    if (randomLength)
      return Array.from({ length: Number(randomLength) }, () => CONSONANTS[Math.floor(random() * CONSONANTS.length)]).join('')
    throw usageError(`template: revision name: "${expression}" is not .Service, .Generation or .Random N`)
  })
  return filled === name || filled.startsWith(`${name}-`) ? filled : `${name}-${filled}`
}
