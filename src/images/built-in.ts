/** An image that is a program of ours. */
export interface BuiltIn {
  /** Every name it answers to; all are the same image. */
  repositories: readonly string[]
  description: string
  environment: readonly { name: string; meaning: string }[]
  /** The built file `<program>.cjs`, run by Node; or a command of the host. */
  program: string | { entrypoint: readonly string[]; args: readonly string[] }
}

/** The prefix of images that exist nowhere else. `.local` is never a public domain (RFC 6762), so no registry can be meant by it. */
export const OWN_PREFIX = 'kn.local/'

/** Where Knative publishes what it releases. */
const RELEASES = 'gcr.io/knative-releases'

const port = { name: 'PORT', meaning: 'the port to listen on, on loopback; set by the runtime (default 8080)' }

/**
 * What the curl image's entrypoint does: a first word that is an option, or no command, is meant for curl.
 *
 * @see curl/curl-container etc/entrypoint.sh
 */
const CURL_UNLESS_COMMAND = 'case "${1-}" in -*|"") exec curl "$@" ;; esac; command -v "$1" >/dev/null && exec "$@"; exec curl "$@"'

/** The images that Knative's documentation and tutorials use, and those that show how a service behaves. */
export const BUILT_INS: readonly BuiltIn[] = [
  {
    repositories: ['ghcr.io/knative/helloworld-go', 'gcr.io/knative-samples/helloworld-go', 'docker.io/knativesamples/helloworld'],
    description: 'Answers "Hello <TARGET>!"',
    environment: [{ name: 'TARGET', meaning: 'who is greeted (default World)' }, port],
    program: 'helloworld',
  },
  {
    repositories: ['docker.io/openshift/hello-openshift'],
    description: 'Answers "Hello OpenShift!"',
    environment: [{ name: 'RESPONSE', meaning: 'the answer (default Hello OpenShift!)' }, port],
    program: 'hello-openshift',
  },
  {
    repositories: ['quay.io/mavazque/reversewords'],
    description: 'GET / tells its release; POST / of {"word":"PALC"} answers {"reverse_word":"CLAP"}; also /health, /hostname, /metrics',
    environment: [{ name: 'RELEASE', meaning: 'the release it tells (default NotSet)' }, port],
    program: 'reversewords',
  },
  {
    repositories: ['ghcr.io/knative/autoscale-go', 'gcr.io/knative-samples/autoscale-go'],
    description: 'Uses time, processor and memory: ?sleep=<milliseconds>&prime=<number>&bloat=<MB>',
    environment: [port],
    program: 'autoscale-go',
  },
  {
    repositories: [`${OWN_PREFIX}slow-start`],
    description: 'Starts slowly, then answers at once',
    environment: [{ name: 'START_DELAY_MS', meaning: 'milliseconds before it listens (default 5000)' }, port],
    program: 'slow-start',
  },
  {
    repositories: [`${OWN_PREFIX}sleep`],
    description: 'Starts at once and answers slowly',
    environment: [{ name: 'SLEEP_MS', meaning: 'milliseconds before each answer (default 4000)' }, port],
    program: 'sleep',
  },
  {
    repositories: [`${OWN_PREFIX}echo`],
    description: 'Answers with the request (method, path, headers, body) and its own environment, as JSON',
    environment: [port],
    program: 'echo',
  },
  {
    repositories: [
      `${RELEASES}/knative.dev/eventing/cmd/event_display`,
      `${RELEASES}/knative.dev/eventing-contrib/cmd/event_display`,
      `${RELEASES}/github.com/knative/eventing-sources/cmd/event_display`,
      'quay.io/openshift-knative/knative-eventing-sources-event-display',
    ],
    description: 'Prints the events it gets; GET /healthz answers 204',
    environment: [port],
    program: 'event-display',
  },
  {
    repositories: [`${RELEASES}/knative.dev/eventing/cmd/appender`, `${RELEASES}/knative.dev/eventing-contrib/cmd/appender`],
    description: 'Replies with the event it got, MESSAGE behind the message in its data: a step of a Sequence',
    environment: [
      { name: 'MESSAGE', meaning: 'what goes behind the message' },
      { name: 'TYPE', meaning: 'the type of the reply (default: that of the event)' },
      port,
    ],
    program: 'appender',
  },
  {
    repositories: ['quay.io/ruben/cloudevents-player'],
    description: 'A page that sends events and shows those sent and received; also POST /, and GET, POST and DELETE /messages',
    environment: [
      { name: 'K_SINK', meaning: 'where events are sent; a SinkBinding sets it' },
      { name: 'BROKER_URI', meaning: 'the same, and wins; BROKER_URL is taken as well' },
      { name: 'BROKER_NAME', meaning: 'the Broker they are sent to otherwise (default default)' },
      { name: 'BROKER_NAMESPACE', meaning: "the Broker's namespace (default: the Pod's own)" },
      { name: 'PLAYER_MODE', meaning: 'LOCAL: events are sent to the player itself' },
      port,
    ],
    program: 'cloudevents-player',
  },
  {
    repositories: [`${OWN_PREFIX}failing`],
    description: 'Takes events and fails',
    environment: [
      { name: 'STATUS', meaning: 'the status it answers with (default 500)' },
      { name: 'EVERY', meaning: 'every how many requests it fails; the others get 200 (default 1)' },
      port,
    ],
    program: 'failing',
  },
  {
    repositories: [`${OWN_PREFIX}slow-sink`],
    description: 'Takes events slowly',
    environment: [{ name: 'DELAY_MS', meaning: 'milliseconds before each answer, which is 202 (default 4000)' }, port],
    program: 'slow-sink',
  },
  {
    repositories: [`${OWN_PREFIX}transformer`],
    description: 'Replies to each event with one of another type',
    environment: [
      { name: 'REPLY_TYPE', meaning: 'the type of the reply (default dev.kn-local.transformed)' },
      { name: 'REPLY_SOURCE', meaning: 'the source of the reply (default /kn.local/transformer)' },
      { name: 'APPEND', meaning: 'what is added to the data: the members of a JSON object, or text' },
      port,
    ],
    program: 'transformer',
  },
  {
    repositories: ['docker.io/curlimages/curl'],
    description: "The host's curl: arguments are curl's, unless the first is a command of the host",
    environment: [],
    program: { entrypoint: ['sh', '-c', CURL_UNLESS_COMMAND, 'entrypoint'], args: [] },
  },
  {
    repositories: [`${OWN_PREFIX}shell`],
    description: "The host's sh and whatever else is on its PATH: give it a command",
    environment: [],
    program: { entrypoint: [], args: ['sh'] },
  },
]
