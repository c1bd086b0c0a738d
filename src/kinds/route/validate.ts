import { also, type FieldError, fieldError, findings, viaField, viaIndex } from '../../apimachinery/field-error.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import { qualifiedName } from '../../apimachinery/names.js'
import { SERVICE_LABEL } from '../serving-labels.js'
import { notDns1035, validateCreatorAndModifier, validateMetadata, validateOwnerLabel } from '../serving-metadata.js'
import type { Route, TrafficTarget } from './schema.js'

/** @see knative/serving v1.23 pkg/apis/serving/v1/route_validation.go */
export function validateRoute(route: Route, { old }: AdmissionContext<Route>): FieldError | undefined {
  const isOwned = Boolean(route.metadata.ownerReferences?.length)
  return also(
    validateMetadata(route),
    viaField('metadata.labels', validateOwnerLabel(route, SERVICE_LABEL, 'Service')),
    viaField('spec.traffic', validateTraffic(route.spec?.traffic ?? [], false)),
    old && !isOwned ? validateCreatorAndModifier(route, old) : undefined,
  )
}

/** The traffic of a Route, or of a Service, where the Configuration goes without saying. Paths are relative to `traffic`. */
export function validateTraffic(traffic: readonly TrafficTarget[], isInService: boolean): FieldError | undefined {
  const sum = traffic.reduce((total, { percent = 0 }) => total + percent, 0)
  return also(
    ...traffic.map((target, index) => viaIndex(index, validateTarget(target, isInService))),
    validateTags(traffic),
    sum === 100 ? undefined : fieldError(`Traffic targets sum to ${sum}, want 100`, ''),
  )
}

function validateTags(traffic: readonly TrafficTarget[]): FieldError | undefined {
  const firstWith = new Map<string, number>()
  return also(
    ...traffic.map(({ tag }, index) => {
      if (!tag) return undefined
      const problem = notDns1035(tag)
      const first = firstWith.get(tag)
      if (first === undefined) firstWith.set(tag, index)
      return also(
        // The index stands after `tag`: so do Knative's paths here.
        problem ? findings.invalidValue(problem, `tag[${index}]`) : undefined,
        first === undefined ? undefined : fieldError(`Multiple definitions for "${tag}"`, [`[${index}].tag`, `[${first}].tag`]),
      )
    }),
  )
}

function validateTarget(target: TrafficTarget, isInService: boolean): FieldError | undefined {
  const { latestRevision, revisionName = '', percent, url } = target
  const contradicts = latestRevision !== undefined && latestRevision === (revisionName !== '')
  return also(
    contradicts
      ? fieldError(`may not set revisionName "${revisionName}" when latestRevision is ${latestRevision}`, 'latestRevision')
      : undefined,
    validateNames(target, isInService),
    percent !== undefined && (percent < 0 || percent > 100) ? findings.outOfBounds(percent, 0, 100, 'percent') : undefined,
    url ? findings.disallowedFields('url') : undefined,
  )
}

function validateNames({ revisionName, configurationName }: TrafficTarget, isInService: boolean): FieldError | undefined {
  const qualified = (name: string, path: string): FieldError | undefined => {
    const problems = qualifiedName(name)
    return problems.length > 0 ? findings.invalidKeyName(name, path, problems.join(', ')) : undefined
  }
  if (isInService && configurationName) return findings.disallowedFields('configurationName')
  if (revisionName && configurationName) return findings.multipleOneOf('revisionName', 'configurationName')
  if (revisionName) return qualified(revisionName, 'revisionName')
  if (configurationName) return qualified(configurationName, 'configurationName')
  return isInService ? undefined : findings.missingOneOf('revisionName', 'configurationName')
}
