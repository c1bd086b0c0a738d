import { timestamp } from '../../apimachinery/object.js'
import type { RevisionTemplate } from '../../kinds/configuration/schema.js'
import type { Service } from '../../kinds/service/schema.js'
import type { GivenFlag } from '../arguments.js'
import { usageError } from '../arguments.js'
import { podSpecFrom } from './container.js'
import { type Changes, changed, changesFrom, merged } from './key-values.js'
import { revisionNameFrom } from './revision-name.js'
import { isScaleAnnotation, scaleAnnotations } from './scale.js'
import { changesRevision, type ServiceFlagValues } from './service-flags.js'

/** A Service as a client writes it. */
export type ServiceDraft = Pick<Service, 'spec'> & { metadata: Partial<Service['metadata']> }

/** What flags are turned into an object with, besides themselves. */
export interface FlagContext {
  /** As they stand on the command line. */
  given: readonly GivenFlag[]
  nowMs: number
  /** In [0, 1). */
  random: () => number
  /** The text of a file that a flag names; throws when it cannot be read. */
  readFile: (path: string) => string
}

export const USER_IMAGE_ANNOTATION = 'client.knative.dev/user-image'
export const UPDATE_TIMESTAMP_ANNOTATION = 'client.knative.dev/updateTimestamp'
const VISIBILITY_LABEL = 'networking.knative.dev/visibility'

/** A Service that says nothing yet but its name. */
export function bareService(name: string, namespace: string): ServiceDraft {
  return { metadata: { name, namespace }, spec: { template: { spec: { containers: [] } } } }
}

/** The Service that `service create` and its flags ask for, on top of `base` (a file's, or a bare one). Throws a usage error in kn's words. */
export function serviceFrom(base: ServiceDraft, flags: ServiceFlagValues, context: FlagContext): ServiceDraft {
  const service = editedService(base, flags, context)
  return flags.tag ? { ...service, spec: { ...service.spec, traffic: taggedAtBirth(flags.tag) } } : service
}

/**
 * A Service after the flags of create or update, apart from its traffic. Flags that make a new revision leave a timestamp on it, which is
 * what makes it new even when nothing else differs.
 *
 * @see knative/client pkg/commands/service/configuration_edit_flags.go
 */
export function editedService(service: ServiceDraft, flags: ServiceFlagValues, context: FlagContext): ServiceDraft {
  const { given } = context
  const isGiven = (name: string): boolean => given.some((flag) => flag.name === name)
  const { template } = service.spec
  const scale = scaleAnnotations(flags)
  const annotations = annotationChanges(flags, scale)
  const labels = labelChanges(flags)
  const isNewRevision = changesRevision(given)

  const templateAnnotations = changed(
    template.metadata?.annotations,
    merged(annotations.revision, ownAnnotations(template, flags, context, isNewRevision)),
  )
  const templateLabels = changed(template.metadata?.labels, labels.revision)
  const revisionName = isGiven('revision-name')
    ? revisionNameFrom(flags['revision-name'] ?? '', service, context.random)
    : template.metadata?.name
  const visibility = isGiven('cluster-local') ? visibilityChange(flags['cluster-local'] === true) : NOTHING

  const { annotations: _, labels: __, name: ___, ...otherMetadata } = template.metadata ?? {}
  const metadata = {
    ...otherMetadata,
    ...(revisionName && { name: revisionName }),
    ...(templateAnnotations && { annotations: templateAnnotations }),
    ...(templateLabels && { labels: templateLabels }),
  }
  const concurrency = flags['concurrency-limit']
  if (concurrency !== undefined && concurrency < 0) throw usageError(`invalid concurrency-limit ${concurrency} (must not be less than 0)`)
  const nextTemplate: RevisionTemplate = {
    ...(Object.keys(metadata).length > 0 && { metadata }),
    spec: {
      ...podSpecFrom(template.spec, flags, given, context.readFile),
      ...(concurrency !== undefined && { containerConcurrency: concurrency }),
      ...(flags.timeout !== undefined && { timeoutSeconds: flags.timeout }),
    },
  }
  return {
    ...service,
    metadata: withMaps(service.metadata, {
      labels: changed(service.metadata.labels, merged(labels.service, visibility)),
      annotations: changed(service.metadata.annotations, annotations.service),
    }),
    spec: { ...service.spec, template: nextTemplate },
  }
}

const NOTHING: Changes = { set: new Map(), remove: [] }

function withMaps(
  metadata: ServiceDraft['metadata'],
  maps: Pick<ServiceDraft['metadata'], 'labels' | 'annotations'>,
): ServiceDraft['metadata'] {
  const { labels: _, annotations: __, ...rest } = metadata
  return { ...rest, ...(maps.labels && { labels: maps.labels }), ...(maps.annotations && { annotations: maps.annotations }) }
}

/** kn's own annotations of the template: the image as it was asked for, and when it last was asked for anything. */
function ownAnnotations(
  template: RevisionTemplate,
  flags: ServiceFlagValues,
  { given, nowMs }: FlagContext,
  isNewRevision: boolean,
): Changes {
  const set = new Map<string, string>()
  const remove: string[] = []
  if (isNewRevision) set.set(UPDATE_TIMESTAMP_ANNOTATION, timestamp(nowMs))
  const isLocked = flags['lock-to-digest'] !== false
  if (!isLocked) {
    if (template.metadata?.annotations?.[USER_IMAGE_ANNOTATION] !== undefined) remove.push(USER_IMAGE_ANNOTATION)
  } else {
    const image = flags.image ?? (given.some(({ name }) => name === 'lock-to-digest') ? template.spec.containers[0]?.image : undefined)
    const isKnown = template.metadata?.annotations?.[USER_IMAGE_ANNOTATION] !== undefined
    // What a lock has turned into a digest already keeps the name it was asked for by.
    if (image && !(isKnown && flags.image === undefined)) set.set(USER_IMAGE_ANNOTATION, image)
  }
  return { set, remove }
}

function labelChanges(flags: ServiceFlagValues): { service: Changes; revision: Changes } {
  const both = changesFrom(flags.label, { unique: true })
  return {
    service: merged(both, changesFrom(flags['label-service'], { unique: true })),
    revision: merged(both, changesFrom(flags['label-revision'], { unique: true })),
  }
}

function annotationChanges(flags: ServiceFlagValues, scale: ReadonlyMap<string, string>): { service: Changes; revision: Changes } {
  const both = changesFrom(flags.annotation, { unique: true })
  const initialScale = 'autoscaling.knative.dev/initial-scale'
  if (flags['scale-init'] !== undefined && both.set.has(initialScale)) {
    throw usageError(`only one of the --scale-init or --annotation ${initialScale} can be specified`)
  }
  const service = changesFrom(flags['annotation-service'], { unique: true })
  for (const key of service.set.keys()) {
    if (!isScaleAnnotation(key)) continue
    throw usageError(`service can not have auto-scaling related annotation: ${key} , please update using '--annotation-revision'`)
  }
  const forService: Changes = {
    set: new Map([...both.set].filter(([key]) => !isScaleAnnotation(key))),
    remove: both.remove.filter((key) => !isScaleAnnotation(key)),
  }
  return {
    service: merged(forService, service),
    revision: merged(both, changesFrom(flags['annotation-revision'], { unique: true }), { set: scale, remove: [] }),
  }
}

function visibilityChange(isClusterLocal: boolean): Changes {
  return isClusterLocal
    ? { set: new Map([[VISIBILITY_LABEL, 'cluster-local']]), remove: [] }
    : { set: new Map(), remove: [VISIBILITY_LABEL] }
}

/** On create there is one revision only, so a tag goes to it with all traffic. */
function taggedAtBirth(tags: readonly string[]): NonNullable<Service['spec']['traffic']> {
  const [tag = ''] = tags
  const at = tag.indexOf('=')
  const reference = at < 0 ? '@latest' : tag.slice(0, at)
  if (tags.length > 1 || reference !== '@latest') {
    throw usageError(`a new service has one revision only, so --tag takes just @latest=TAG; got ${tags.join(',')}`)
  }
  return [{ latestRevision: true, percent: 100, tag: at < 0 ? tag : tag.slice(at + 1) }]
}
