import { Flags, type Interfaces } from '@oclif/core'
import { intFlag, onceFlag, stringArrayFlag, stringsFlag } from '../flags.js'

/** Flags that describe a container; sources that run one take them too. */
export const containerFlags = {
  image: onceFlag({ description: 'Image to run.' }),
  env: stringArrayFlag({ char: 'e', description: 'Environment variable NAME=value; NAME- removes it. May be given several times.' }),
  'env-from': stringArrayFlag({
    description:
      'Take all variables of a ConfigMap or Secret (cm:NAME, secret:NAME); a trailing - removes them. May be given several times.',
  }),
  'env-value-from': stringArrayFlag({
    description:
      'Variable from a key of a ConfigMap or Secret (NAME=cm:NAME:KEY, NAME=secret:NAME:KEY); NAME- removes it. May be given several times.',
  }),
  'env-file': Flags.string({ description: 'File with one NAME=value per line.' }),
  mount: stringArrayFlag({
    description:
      'Mount a ConfigMap (cm:), Secret (secret:), emptyDir (ed:), claim (pvc:) or named volume: PATH=cm:NAME. PATH- unmounts. May be given several times.',
  }),
  volume: stringArrayFlag({
    description: 'Add a volume: NAME=cm:NAME, secret:NAME, ed:NAME or pvc:NAME; NAME- removes it. May be given several times.',
  }),
  cmd: stringArrayFlag({ description: "Command to run instead of the image's own; each further --cmd is one more word." }),
  arg: stringArrayFlag({ description: 'Argument of the command; may be given several times.' }),
  port: Flags.string({ char: 'p', description: 'Port the container listens on, as PORT or NAME:PORT (h2c:8080 for HTTP/2).' }),
  limit: stringsFlag({ description: 'Resource limits, like cpu=500m,memory=128Mi; memory- removes one.' }),
  request: stringsFlag({ description: 'Resource requests, like cpu=100m,memory=64Mi; memory- removes one.' }),
  'pull-policy': Flags.string({ description: 'When to pull the image: Always, Never or IfNotPresent.' }),
  'pull-secret': Flags.string({ description: "Secret for pulling the image; '' removes it." }),
  'service-account': Flags.string({ description: "ServiceAccount to run as; '' removes it." }),
  user: intFlag({ description: 'User ID to run as.' }),
  'security-context': Flags.string({ description: 'Security context of the container: none or strict.', default: 'none' }),
  'probe-liveness': Flags.string({ description: 'Liveness probe: http:HOST:PORT:PATH, https:…, tcp:HOST:PORT or exec:CMD[,ARG].' }),
  'probe-liveness-opts': Flags.string({ description: 'Settings of the liveness probe, like PeriodSeconds=5,FailureThreshold=3.' }),
  'probe-readiness': Flags.string({ description: 'Readiness probe, in the forms of --probe-liveness.' }),
  'probe-readiness-opts': Flags.string({ description: 'Settings of the readiness probe.' }),
}

/** Flags that service create and update share, and what they change. */
export const serviceFlags = {
  ...containerFlags,
  scale: Flags.string({ description: 'Least and most replicas: N, MIN..MAX, MIN.. or ..MAX.' }),
  'scale-min': intFlag({ description: 'Least number of replicas.' }),
  'scale-max': intFlag({ description: 'Most replicas.' }),
  'scale-init': intFlag({ description: 'Replicas a new revision starts with.' }),
  'scale-activation': intFlag({ description: 'Least replicas while there is any traffic.' }),
  'scale-metric': Flags.string({ description: 'What is scaled by: concurrency, rps, cpu or memory.' }),
  'scale-target': intFlag({ description: 'What one replica should carry, in units of the metric.' }),
  'scale-utilization': intFlag({ description: 'Per cent of the target at which to scale. (default 70)' }),
  'scale-window': Flags.string({ description: 'Time over which the metric is averaged, like 60s.' }),
  'concurrency-limit': intFlag({ description: 'Most requests one replica handles at a time; 0 is no limit.' }),
  timeout: intFlag({ description: 'Seconds within which a request has to be answered. (default 300)' }),
  label: stringArrayFlag({
    char: 'l',
    description: 'Label NAME=value of the service and its revision; NAME- removes it. May be given several times.',
  }),
  'label-service': stringArrayFlag({ description: 'Label of the service only.' }),
  'label-revision': stringArrayFlag({ description: 'Label of the revision only.' }),
  annotation: stringArrayFlag({
    char: 'a',
    description: 'Annotation NAME=value of the service and its revision; NAME- removes it. May be given several times.',
  }),
  'annotation-service': stringArrayFlag({ description: 'Annotation of the service only.' }),
  'annotation-revision': stringArrayFlag({ description: 'Annotation of the revision only.' }),
  'cluster-local': Flags.boolean({ allowNo: true, description: 'Make the service reachable inside of the cluster only.' }),
  'lock-to-digest': Flags.boolean({
    allowNo: true,
    default: true,
    description: 'Keep running the same build of the image until --image is given again.',
  }),
  'revision-name': Flags.string({
    description: 'Name of the new revision; may contain {{.Service}}, {{.Generation}} and {{.Random N}}.',
  }),
  tag: stringsFlag({ description: 'Tag a revision gets: REVISION=TAG or @latest=TAG. May be given several times.' }),
  'concurrency-target': intFlag({ hidden: true, deprecated: { to: 'scale-target' }, description: 'Older name of --scale-target.' }),
  'concurrency-utilization': intFlag({
    hidden: true,
    deprecated: { to: 'scale-utilization' },
    description: 'Older name of --scale-utilization.',
  }),
  'autoscale-window': Flags.string({ hidden: true, deprecated: { to: 'scale-window' }, description: 'Older name of --scale-window.' }),
}

/** Flags that only `service update` has. */
export const trafficFlags = {
  traffic: stringsFlag({
    description: 'Share of the traffic: REVISION=PERCENT, TAG=PERCENT or @latest=PERCENT. May be given several times.',
  }),
  untag: stringsFlag({ description: 'Tag to take away. May be given several times.' }),
}

export type ContainerFlagValues = Partial<Interfaces.InferredFlags<typeof containerFlags>>
export type ServiceFlagValues = Partial<Interfaces.InferredFlags<typeof serviceFlags>>
export type TrafficFlagValues = Partial<Interfaces.InferredFlags<typeof trafficFlags>> & { tag?: string[] | undefined }

/** The flags that make a new revision: what they set is part of it, or they are counted with those by kn. */
const REVISION_CHANGING: ReadonlySet<string> = new Set(
  [...Object.keys(serviceFlags), 'filename'].filter(
    (name) => !['cluster-local', 'lock-to-digest', 'pull-policy', 'probe-readiness-opts', 'tag'].includes(name),
  ),
)

/** Whether any of these flags asks for a new revision. */
export function changesRevision(given: readonly { name: string }[]): boolean {
  return given.some(({ name }) => REVISION_CHANGING.has(name))
}
