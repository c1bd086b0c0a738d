import { Flags } from '@oclif/core'
import { goInteger, goQuote } from './arguments.js'

/** A whole number as kn's flags take it (decimal, 0x, 0o …); undefined unless given. */
export const intFlag = Flags.custom<number>({ helpValue: 'int', parse: async (input) => goInteger(input) })

const INT32_LIMIT = 2 ** 31

/** A whole number that the API holds in 32 bits. */
export const int32Flag = Flags.custom<number>({
  helpValue: 'int32',
  parse: async (input) => {
    const number = goInteger(input)
    if (number < -INT32_LIMIT || number >= INT32_LIMIT) throw new Error(`strconv.ParseInt: parsing ${goQuote(input)}: value out of range`)
    return number
  },
})

/** Text that may be given once only, unlike all others, where the last one wins. */
export const onceFlag = Flags.custom<string, { onlyOnce?: boolean }>({ onlyOnce: true } as object)

/** Repeatable; each value is taken as it is. */
export function stringArrayFlag(options: { char?: 'a' | 'e' | 'l'; description: string }) {
  return Flags.string({ ...options, multiple: true, multipleNonGreedy: true })
}

/** Repeatable, and each value splits on commas. */
export function stringsFlag(options: { description: string }) {
  return Flags.string({ ...options, multiple: true, multipleNonGreedy: true, delimiter: ',' })
}

/** What every command takes. */
export const globalFlags = {
  kubeconfig: Flags.string({ description: 'Kubeconfig file to use (default: $KUBECONFIG, then ~/.kube/config).' }),
  context: Flags.string({ description: 'Context of the kubeconfig to use.' }),
  cluster: Flags.string({ description: 'Cluster of the kubeconfig to use instead of the one the context names.' }),
  as: Flags.string({ description: 'User to act as, instead of the one of the kubeconfig.' }),
  'as-group': Flags.string({ multiple: true, multipleNonGreedy: true, description: 'Group to act as; may be given several times.' }),
  'as-uid': Flags.string({ description: 'UID to act as.' }),
  config: Flags.string({ description: "kn's own configuration file (default: ~/.config/kn/config.yaml)." }),
  'plugins-dir': Flags.string({ hidden: true, description: 'Directory that holds kn plugins.' }),
  'log-http': Flags.boolean({ allowNo: true, description: 'Write every request to the API server and its answer to standard error.' }),
}

/** Hidden twins of visible pairs: only `--log-http` is listed by `kn options`. */
export const HIDDEN_NEGATIONS: ReadonlySet<string> = new Set(['log-http'])

export const namespaceFlag = {
  namespace: Flags.string({ char: 'n', description: 'Namespace to work in (default: the one of the current context).' }),
}

export const allNamespacesFlag = {
  'all-namespaces': Flags.boolean({ char: 'A', description: 'List the objects of all namespaces.' }),
}

/** How long to wait, for commands that always do. */
export const waitTimeFlags = {
  'wait-timeout': intFlag({ default: 600, description: 'How many seconds to wait before giving up.' }),
  'wait-window': intFlag({
    default: 2,
    description: 'How many seconds an object may be not ready in between before that counts as an error.',
  }),
}

/** Waiting that is on unless refused: create, update, apply. */
export const waitFlags = waitingFlags(true)

/** Waiting that is off unless asked for: deletes. */
export const deleteWaitFlags = waitingFlags(false)

function waitingFlags(isDefault: boolean) {
  return {
    wait: Flags.boolean({ allowNo: true, default: isDefault, description: 'Wait until the operation has come to its end.' }),
    ...waitTimeFlags,
  }
}

const MACHINE_FORMATS = 'json|yaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file'

/** `-o` and what goes with it. `extra` names formats of a single command, such as url. */
export function outputFlags(extra: readonly string[] = []) {
  return {
    output: Flags.string({ char: 'o', description: `Output format. One of: ${[MACHINE_FORMATS, ...extra].join('|')}.` }),
    template: Flags.string({ description: 'Template text or file, for -o go-template, go-template-file, jsonpath and jsonpath-file.' }),
    'allow-missing-template-keys': Flags.boolean({ default: true, description: 'Templates pass over fields and keys that are missing.' }),
    'show-managed-fields': Flags.boolean({ description: 'Keep metadata.managedFields in json and yaml output.' }),
  }
}

export const noHeadersFlag = {
  'no-headers': Flags.boolean({ description: 'Leave the column headers out of a table.' }),
}

export const verboseFlag = { verbose: Flags.boolean({ char: 'v', description: 'Show more.' }) }

const SINK_FORMS =
  'a Knative service (NAME or ksvc:NAME), broker:NAME, channel:NAME, svc:NAME of a Kubernetes service, GROUP/VERSION/RESOURCE:NAME, each with :NAMESPACE behind it for another namespace, or a URL'

const sinkOptions = { char: 's', description: `Where the events go: ${SINK_FORMS}.` } as const

/** Where events go. */
export const sinkFlag = { sink: Flags.string(sinkOptions) }

/** Where events go, for what cannot do without. */
export const requiredSinkFlag = { sink: Flags.string({ ...sinkOptions, required: true }) }
