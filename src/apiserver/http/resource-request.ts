import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ApiAnswer, type ApiCall, type CallOptions, SERVER_TIME_HEADER, type Verb } from '../../apimachinery/call.js'
import { isJsonObject } from '../../apimachinery/json.js'
import { groupVersion, type Identity, type ServedKind } from '../../apimachinery/kind.js'
import type { KubeObject } from '../../apimachinery/object.js'
import { refusals } from '../../apimachinery/status-error.js'
import type { Clock } from '../../base/clock.js'
import type { Logger } from '../../base/logger.js'
import type { Random } from '../../base/random.js'
import type { ResourcePath } from '../paths.js'
import type { ApiServer } from '../server.js'
import { answerPodStream, POD_STREAMS, type PodStreams } from '../streams/pod-streams.js'
import { type FindProxyTarget, proxyPathFrom, proxyRequest } from '../streams/proxy.js'
import { decodeObject, decodePatch, type ExpectedBody, readBody } from './body.js'
import type { ControlMetrics } from './metrics.js'
import type { ObjectTexts } from './object-text.js'
import { flag, optionsFrom, withDeleteOptions } from './options.js'
import { type PodLogs, podLogOptions, podLogRef, streamLines } from './pod-log.js'
import { answerText, eventText, type Representation, representationFor } from './representation.js'
import { sendText } from './send.js'
import { upgradeOf } from './upgrades.js'
import { lineOutput, onHalfClose, streamWatch, webSocketOutput } from './watch-stream.js'

/** A request on a resource, whose sender is known. */
export interface ResourceRequest {
  request: IncomingMessage
  response: ServerResponse
  user: Identity
  path: ResourcePath
  query: URLSearchParams
  /** Throws 403 unless the sender may do this as well, to the same object. */
  requireVerb(verb: Verb): void
}

/** Answers it on `response`, or throws the StatusError it is refused with. */
export type AnswerResource = (request: ResourceRequest) => Promise<void>

/** The virtual clock counts as moved from this distance on; below it, ages are the same by either. */
const NOTABLE_OFFSET_MS = 500

/** A watch without a timeout lasts between this and twice this, as upstream's do (apiserver, min-request-timeout). */
const LEAST_WATCH_SECONDS = 1800

/** Turns HTTP requests into calls and their answers into bodies and streams. `streams` holds what ends each open stream. */
export function createResourceAnswers(deps: {
  server: ApiServer
  clock: Clock
  realClock: Clock
  random: Random
  log: Logger
  texts: ObjectTexts
  metrics: ControlMetrics
  streams: Set<() => void>
  podLogs: PodLogs | undefined
  podStreams: PodStreams | undefined
  findProxyTarget: FindProxyTarget | undefined
}): AnswerResource {
  const { server, clock, realClock, random, log, texts, metrics, streams, podLogs, podStreams, findProxyTarget } = deps

  const writing = (served: ServedKind) => ({ texts, served, nowMs: clock.now() })

  const watch = (call: ApiCall, served: ServedKind, { request, response }: ResourceRequest, how: Representation): void => {
    const timeoutSeconds = call.options?.timeoutSeconds || Math.floor(LEAST_WATCH_SECONDS * (1 + random.float()))
    const { plural } = served.kind
    if (served.deprecationWarning) response.setHeader('Warning', warningHeaders([served.deprecationWarning]))
    const upgrade = upgradeOf(request)
    const output = upgrade ? webSocketOutput(request, response, upgrade) : lineOutput(request, response)
    const end = streamWatch({
      server,
      call: { ...call, options: { ...call.options, timeoutSeconds } },
      output,
      textOf: (event, first) => eventText(event, how, writing(served), first),
      log,
    })
    streams.add(end)
    metrics.watchStarted(plural)
    output.onClose(() => {
      streams.delete(end)
      metrics.watchEnded(plural)
    })
  }

  const sendLog = async ({ request, response, query }: ResourceRequest, base: ApiCall): Promise<void> => {
    const { subresource: _, ...whole } = base
    const pod = (await server.call({ ...whole, verb: 'get' })).object as KubeObject
    const options = podLogOptions(pod.metadata.name, query, realClock.now())
    const which = podLogRef(pod, query)
    const reader = new AbortController()
    const end = (): void => reader.abort()
    response.on('close', end)
    if (options.follow) onHalfClose(request, response, end)
    const lines = which && (await podLogs!(which, { ...options, signal: reader.signal }))
    if (which && !lines)
      throw refusals.badRequest(`container ${JSON.stringify(which.container)} in pod ${JSON.stringify(which.name)} has no log`)
    streams.add(end)
    response.on('close', () => streams.delete(end))
    await streamLines(lines ?? none(), response, options.limitBytes)
  }

  return async (asked) => {
    const { request, response, path, query } = asked
    const served = server.kindFor(path.group, path.version, path.plural)
    if (!served || !isWellPlaced(path, served)) throw refusals.noSuchResource()
    const proxied = path.subresource === 'proxy' && findProxyTarget && proxyPathFrom(request.url!.split('?', 1)[0]!)
    if (proxied) return proxyRequest({ request, response, path: proxied, find: findProxyTarget, early: upgradeOf(request) })
    if (podStreams && path.group === '' && path.plural === 'pods' && POD_STREAMS.has(path.subresource ?? '')) {
      const { subresource: _, ...whole } = callFrom(asked, 'get')
      const pod = (await server.call(whole)).object as KubeObject
      return answerPodStream(asked, pod, path.subresource!, { podStreams, clock: realClock, streams })
    }
    const verb = verbFor(request.method ?? '', path, query)
    const base = callFrom(asked, verb)

    if (path.subresource === 'log' && path.group === '' && path.plural === 'pods' && podLogs) {
      if (verb !== 'get') throw refusals.methodNotAllowed()
      return sendLog(asked, base)
    }
    const how = representationFor(request.headers.accept, query)
    const options = optionsFrom(query, verb)
    if (verb === 'watch') return watch({ ...base, options: named(options, path) }, served, asked, how)

    base.options = options
    await readBodyInto(base, request, served)
    const answer = await server.call(base)
    const nowMs = clock.now()
    if (Math.abs(nowMs - realClock.now()) >= NOTABLE_OFFSET_MS) response.setHeader(SERVER_TIME_HEADER, nowMs)
    await send(response, answer, how, answerText(answer.object, how, writing(served)))
  }
}

/** Paths with a namespace are for namespaced kinds; theirs have one wherever a name stands. */
function isWellPlaced({ namespace, name, legacyWatch }: ResourcePath, { kind }: ServedKind): boolean {
  if (namespace !== undefined) return kind.namespaced
  return !kind.namespaced || name === undefined || legacyWatch === true
}

/** Member after member: made of spreads, each would be an object of a shape of its own to the engine, and slow wherever it is read. */
function callFrom({ request, user, path, requireVerb }: ResourceRequest, verb: Verb): ApiCall {
  const { group, version, plural, namespace, name, subresource } = path
  const call: ApiCall = { user, verb, group, version, plural, requireVerb }
  if (namespace !== undefined) call.namespace = namespace
  if (name !== undefined) call.name = name
  if (subresource !== undefined) call.subresource = subresource
  const userAgent = request.headers['user-agent']
  if (userAgent !== undefined) call.userAgent = userAgent.split('/', 1)[0]!
  return call
}

function verbFor(method: string, { name, subresource, legacyWatch }: ResourcePath, query: URLSearchParams): Verb {
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (legacyWatch) return 'watch'
      if (name !== undefined) return 'get'
      return flag(query, 'watch') ? 'watch' : 'list'
    case 'POST':
      if ((name === undefined || subresource !== undefined) && !legacyWatch) return 'create'
      break
    case 'PUT':
    case 'PATCH':
      if (name !== undefined && !legacyWatch) return method === 'PUT' ? 'update' : 'patch'
      break
    case 'DELETE':
      if (!legacyWatch) return name === undefined ? 'deletecollection' : 'delete'
      break
  }
  throw refusals.methodNotAllowed()
}

/** A watch of one object is a watch of its collection with a selector. */
function named(options: CallOptions, { name }: ResourcePath): CallOptions {
  if (name === undefined) return options
  const own = `metadata.name=${name.replace(/[\\,=]/g, '\\$&')}`
  return { ...options, fieldSelector: options.fieldSelector ? `${own},${options.fieldSelector}` : own }
}

/** Adds what the body says. */
async function readBodyInto(call: ApiCall, request: IncomingMessage, served: ServedKind): Promise<void> {
  switch (call.verb) {
    case 'create':
    case 'update': {
      const { value, problems } = await decodeObject(request, await readBody(request), expectedBody(call, served))
      call.object = value
      call.decodingProblems = problems
      if (call.subresource === 'eviction' && isJsonObject(value))
        call.options = withDeleteOptions(call.options ?? {}, value['deleteOptions'])
      return
    }
    case 'patch': {
      const { type, value, problems } = await decodePatch(request, await readBody(request))
      call.patch = { type, body: value }
      call.decodingProblems = problems
      return
    }
    case 'delete':
    case 'deletecollection': {
      const body = await readBody(request)
      if (body.length === 0) return
      const { value } = await decodeObject(request, body, { protobuf: true, type: { apiVersion: 'v1', kind: 'DeleteOptions' } })
      call.options = withDeleteOptions(call.options ?? {}, value)
      return
    }
    default:
  }
}

/** Bodies of other subresources are of kinds of their own, and have to say which. */
const OWN_KIND: ReadonlySet<string> = new Set(['', 'status', 'finalize'])

function expectedBody({ subresource = '' }: ApiCall, { kind, builtIn }: ServedKind): ExpectedBody {
  return {
    protobuf: builtIn || subresource === 'scale',
    type: OWN_KIND.has(subresource) ? { apiVersion: groupVersion(kind), kind: kind.kind } : undefined,
  }
}

async function send(response: ServerResponse, { code, warnings }: ApiAnswer, how: Representation, text: string): Promise<void> {
  const headers = warningHeaders(warnings)
  if (headers.length > 0) response.setHeader('Warning', headers)
  if (how.syntax === 'json') return sendText(response, code, text, 'application/json')
  const { stringify } = await import('yaml')
  sendText(response, code, stringify(JSON.parse(text)), 'application/yaml')
}

/** Beyond this, warnings are cut to so many characters each (apiserver pkg/endpoints/filters/warning.go). */
const WARNINGS_BYTES = 4096
const CUT_CHARACTERS = 256

function warningHeaders(warnings: readonly string[]): string[] {
  const bytes = warnings.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  return warnings.map((text) => {
    const short = bytes > WARNINGS_BYTES ? [...text].slice(0, CUT_CHARACTERS).join('') : text
    const quoted = short.replace(/[\u0000-\u001f\u007f]/g, ' ').replace(/["\\]/g, '\\$&')
    // Node writes headers byte by byte: UTF-8 goes in as the Latin-1 characters of its bytes.
    return `299 - "${Buffer.from(quoted).toString('latin1')}"`
  })
}

async function* none(): AsyncGenerator<string> {}
