import { below, enforced, type ParityRow, type ParityTable, refused, stored } from '../../apimachinery/parity.js'
import { statusParity } from '../duck-parity.js'

/** Parity of what Services, Configurations and Revisions say about their Pods; paths are relative to the spec of a Revision. */

const NOT_ISOLATED = 'programs are processes of yours, and not isolated'
const ONE_NODE = 'there is one Node'
const NO_REGISTRY = 'no image is pulled'

/** Refused as on a cluster as long as its flag of config-features is off. */
function gated(flag: string, what: string, ...fields: string[]): ParityRow[] {
  return stored(`refused unless kubernetes.podspec-${flag} is on, as on a cluster; then kept: ${what}`, ...fields)
}

const probe: ParityTable = enforced(
  ...['exec.*', 'grpc.*', 'httpGet.*', 'tcpSocket.*'],
  ...['initialDelaySeconds', 'periodSeconds', 'timeoutSeconds', 'successThreshold', 'failureThreshold'],
)

const containerParity: ParityTable = [
  ...enforced('name', 'image', 'command', 'args', 'workingDir', 'env[].*', 'envFrom[].*', 'ports[].*'),
  ...below('livenessProbe', probe),
  ...below('readinessProbe', probe),
  ...below('startupProbe', probe),
  ...enforced('imagePullPolicy', 'terminationMessagePolicy'),
  ...stored('a path of a container is no path of this machine: the end of the log is what there is', 'terminationMessagePath'),
  ...stored('shown, and given to env; processes are not held to them', 'resources.limits', 'resources.requests'),
  ...refused('as on a cluster: Knative allows limits and requests only', 'resources.claims[].*'),
  ...stored(NOT_ISOLATED, 'securityContext.*'),
  ...refused('the Pod is not started, and its status says why', 'volumeMounts[].*'),
]

export const revisionSpecParity: ParityTable = [
  ...below('containers[]', containerParity),
  ...enforced('containerConcurrency', 'timeoutSeconds', 'responseStartTimeoutSeconds', 'idleTimeoutSeconds'),
  ...refused('the Pod is not started, and its status says why', 'volumes[].*'),
  ...enforced('serviceAccountName'),
  ...stored('programs get no credential anyway', 'automountServiceAccountToken'),
  ...stored('programs get no variables for the other Services of their namespace', 'enableServiceLinks'),
  ...stored(NO_REGISTRY, 'imagePullSecrets[].*'),
  ...enforced('nodeSelector', 'tolerations', 'schedulerName', 'initContainers'),
  ...gated('affinity', ONE_NODE, 'affinity'),
  ...gated('topologyspreadconstraints', ONE_NODE, 'topologySpreadConstraints'),
  ...gated('priorityclassname', 'nothing is preempted', 'priorityClassName'),
  ...gated('runtimeclassname', NOT_ISOLATED, 'runtimeClassName'),
  ...gated('securitycontext', NOT_ISOLATED, 'securityContext'),
  ...gated('shareprocessnamespace', NOT_ISOLATED, 'shareProcessNamespace'),
  ...gated('hostipc', NOT_ISOLATED, 'hostIPC'),
  ...gated('hostpid', NOT_ISOLATED, 'hostPID'),
  ...gated('hostnetwork', NOT_ISOLATED, 'hostNetwork'),
  ...gated('dnspolicy', "names are resolved as this machine's are", 'dnsPolicy'),
  ...gated('dnsconfig', "names are resolved as this machine's are", 'dnsConfig'),
  ...gated('hostaliases', "names are resolved as this machine's are", 'hostAliases'),
]

/** Of `spec.template`, relative to the spec of a Service or Configuration. */
export const revisionTemplateParity: ParityTable = [
  ...enforced('template.metadata.annotations', 'template.metadata.labels', 'template.metadata.name'),
  ...stored('the Revision is made in the namespace of its Configuration, on a cluster too', 'template.metadata.namespace'),
  ...stored('Revisions are made without them, on a cluster too', 'template.metadata.finalizers'),
  ...below('template.spec', revisionSpecParity),
]

export const revisionParity: ParityTable = [
  ...below('spec', revisionSpecParity),
  ...below('status', statusParity),
  ...enforced('status.actualReplicas', 'status.desiredReplicas', 'status.logUrl'),
  ...enforced('status.containerStatuses[].*', 'status.initContainerStatuses[].*'),
]
