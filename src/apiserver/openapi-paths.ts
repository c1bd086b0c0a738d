import type { Kind, ServedKind } from '../apimachinery/kind.js'
import { STANDARD_VERBS } from './discovery.js'
import { describesEverything, gvk, STATUS, schemaName } from './openapi-schemas.js'

export interface Parameter {
  name: string
  in: 'query' | 'path'
  type: 'string' | 'integer' | 'boolean'
  description: string
}

export interface Operation {
  method: 'get' | 'put' | 'post' | 'delete' | 'patch'
  action: string
  operationId: string
  parameters: readonly Parameter[]
  /** Media types of the body, when there is one, and the name of its schema (absent: any object). */
  consumes?: readonly string[]
  bodySchema?: string
  /** Name of the schema of the answer. */
  answers: string
  gvk: { group: string; version: string; kind: string }
}

export interface Path {
  path: string
  parameters: readonly Parameter[]
  operations: readonly Operation[]
}

const query = (name: string, type: Parameter['type'], description: string): Parameter => ({ name, in: 'query', type, description })
const inPath = (name: string, description: string): Parameter => ({ name, in: 'path', type: 'string', description })

const NAMESPACE = inPath('namespace', 'object name and auth scope, such as for teams and projects')
const PRETTY = query('pretty', 'string', 'If true, then the output is pretty printed.')
const DRY_RUN = query('dryRun', 'string', 'When present, nothing is stored. The only valid value is All.')
const FIELD_MANAGER = query('fieldManager', 'string', 'Names the actor that makes these changes.')
/** Its presence on PATCH tells kubectl that the server validates fields. */
const FIELD_VALIDATION = query(
  'fieldValidation',
  'string',
  'What to do about unknown or duplicate fields: Ignore drops them, Warn (the default) drops them and says so, Strict refuses the request.',
)
const FORCE = query('force', 'boolean', 'Whether an apply takes over fields that another manager owns.')
const LISTING: readonly Parameter[] = [
  query('allowWatchBookmarks', 'boolean', 'Whether a watch may send BOOKMARK events.'),
  query('continue', 'string', 'The token of the page before, for the next page.'),
  query('fieldSelector', 'string', 'Restricts the objects by their fields. Defaults to everything.'),
  query('labelSelector', 'string', 'Restricts the objects by their labels. Defaults to everything.'),
  query('limit', 'integer', 'The most items of one answer.'),
  query('resourceVersion', 'string', 'Which versions of the objects will do.'),
  query('resourceVersionMatch', 'string', 'How resourceVersion is applied to a list.'),
  query('sendInitialEvents', 'boolean', 'Whether a watch begins with what is there already.'),
  query('timeoutSeconds', 'integer', 'How long a list or watch may take.'),
  query('watch', 'boolean', 'Whether to watch for changes instead of listing.'),
]
const DELETING: readonly Parameter[] = [
  query('gracePeriodSeconds', 'integer', 'Seconds before the object is deleted; 0 deletes at once.'),
  query('propagationPolicy', 'string', 'What becomes of dependents: Orphan, Background or Foreground.'),
]
const WRITING: readonly Parameter[] = [DRY_RUN, FIELD_MANAGER, FIELD_VALIDATION]

/** The paths of some kinds with their operations, from which the documents of both versions are written. */
export function pathsOf(kinds: readonly ServedKind[]): Path[] {
  return kinds.flatMap(kindPaths)
}

function kindPaths(served: ServedKind): Path[] {
  const { kind } = served
  const verbs = new Set(served.verbs ?? STANDARD_VERBS)
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`
  const base = kind.namespaced ? `${root}/namespaces/{namespace}/${kind.plural}` : `${root}/${kind.plural}`
  const scope = kind.namespaced ? [NAMESPACE, PRETTY] : [PRETTY]
  const itemScope = [inPath('name', `name of the ${kind.kind}`), ...scope]

  const patchTypes = [
    'application/json-patch+json',
    'application/merge-patch+json',
    ...(served.builtIn && describesEverything(served.publishedSchema ?? served.schema) ? ['application/strategic-merge-patch+json'] : []),
    'application/apply-patch+yaml',
  ]
  const operation = (method: Operation['method'], verb: string, infix: string, rest: Partial<Operation> = {}): Operation => ({
    method,
    action: verb === 'create' ? 'post' : verb === 'update' ? 'put' : verb,
    operationId: operationId(kind, verb, infix),
    parameters: [],
    answers: schemaName(kind),
    gvk: gvk(kind),
    ...rest,
  })
  const body = { consumes: ['application/json', 'application/yaml'], bodySchema: schemaName(kind), parameters: WRITING }
  const list = (infix = ''): Operation => operation('get', 'list', infix, { parameters: LISTING, answers: `${schemaName(kind)}List` })
  const patch = (infix = ''): Operation => operation('patch', 'patch', infix, { consumes: patchTypes, parameters: [...WRITING, FORCE] })

  const paths: Path[] = [
    {
      path: base,
      parameters: scope,
      operations: [
        ...(verbs.has('list') ? [list()] : []),
        ...(verbs.has('create') ? [operation('post', 'create', '', body)] : []),
        ...(verbs.has('deletecollection')
          ? [operation('delete', 'deletecollection', '', { answers: STATUS, parameters: [...LISTING, DRY_RUN, ...DELETING] })]
          : []),
      ],
    },
    {
      path: `${base}/{name}`,
      parameters: itemScope,
      operations: [
        ...(verbs.has('get') ? [operation('get', 'get', '')] : []),
        ...(verbs.has('update') ? [operation('put', 'update', '', body)] : []),
        ...(verbs.has('delete') ? [operation('delete', 'delete', '', { answers: STATUS, parameters: [DRY_RUN, ...DELETING] })] : []),
        ...(verbs.has('patch') ? [patch()] : []),
      ],
    },
  ]
  if (kind.status) {
    paths.push({
      path: `${base}/{name}/status`,
      parameters: itemScope,
      operations: [operation('get', 'get', 'Status'), operation('put', 'update', 'Status', body), patch('Status')],
    })
  }
  if (kind.namespaced && verbs.has('list')) {
    paths.push({ path: `${root}/${kind.plural}`, parameters: [PRETTY], operations: [list('ForAllNamespaces')] })
  }
  return paths.filter(({ operations }) => operations.length > 0)
}

const ID_VERBS: Readonly<Record<string, string>> = { get: 'read', update: 'replace', deletecollection: 'deleteCollection' }

/** `readCoreV1NamespacedPodStatus`, as clients generated from the document name their methods. */
function operationId(kind: Kind, verb: string, suffix: string): string {
  const group = kind.group === '' ? 'core' : kind.group.replace(/\.k8s\.io$/, '')
  const words = [...group.split(/[.-]/), kind.version].map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
  const scope = kind.namespaced && suffix !== 'ForAllNamespaces' ? 'Namespaced' : ''
  return `${ID_VERBS[verb] ?? verb}${words}${scope}${kind.kind}${suffix}`
}
