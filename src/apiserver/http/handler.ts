import type { IncomingMessage, ServerResponse } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { Verb } from '../../apimachinery/call.js'
import type { Identity } from '../../apimachinery/kind.js'
import { refusals, StatusError } from '../../apimachinery/status-error.js'
import type { Logger } from '../../base/logger.js'
import { type Random, uuid } from '../../base/random.js'
import { type Attributes, forbidden, requestAttributes } from '../auth/attributes.js'
import { authenticate, type ClientCertificate, INSTANCE_ADMIN, isPublicPath } from '../auth/authenticate.js'
import { guard } from '../auth/guard.js'
import { actingUser } from '../auth/impersonate.js'
import type { Discovery } from '../discovery.js'
import type { OpenApi } from '../openapi.js'
import { type ResourcePath, resourcePathFrom } from '../paths.js'
import type { ApiServer } from '../server.js'
import type { ControlMetrics } from './metrics.js'
import {
  healthDocument,
  type PlainDocument,
  pathsDocument,
  tokenKeysDocument,
  type VersionInfo,
  versionDocument,
} from './plain-documents.js'
import type { AnswerResource } from './resource-request.js'
import { refuse, sendDocument, sendText } from './send.js'

/** What is known about a listener: which hosts it answers to, and whether reaching it is the credential. */
export interface ListenerTrust {
  allowedHosts: ReadonlySet<string>
  /** True for the unix socket: its file permission has already decided, unless a request shows a credential of its own. */
  trusted: boolean
}

export type HandleRequest = (request: IncomingMessage, response: ServerResponse, trust: ListenerTrust) => Promise<void>

/**
 * Answers one HTTP request: guard, authentication, authorization, then plain documents, discovery, OpenAPI or the API. Never
 * throws and never rejects: what goes wrong becomes a Status, and a bug of ours 500 and one line in the log.
 */
export function createRequestHandler(deps: {
  server: ApiServer
  version: VersionInfo
  token: string
  random: Random
  log: Logger
  discovery: Discovery
  openApi: OpenApi
  metrics: ControlMetrics
  answerResource: AnswerResource
}): HandleRequest {
  const { server, version, token, random, log, discovery, openApi, metrics, answerResource } = deps
  const { authorizer, tokens, acceptToken } = server.access
  const certificates = new WeakMap<TLSSocket, { shown: ClientCertificate | undefined }>()
  /** What the administrator showed on a connection: comparing secrets in constant time once for each is enough. */
  const administrators = new WeakMap<object, string>()
  const groupVersions = (): string[] => [
    ...new Set(server.kinds.filter(({ kind }) => kind.group).map(({ kind }) => `${kind.group}/${kind.version}`)),
  ]

  const certificateOf = (socket: unknown): ClientCertificate | undefined => {
    if (!(socket instanceof TLSSocket)) return undefined
    const known = certificates.get(socket)
    if (known) return known.shown
    const shown = clientCertificate(socket)
    certificates.set(socket, { shown })
    return shown
  }

  const userOf = (request: IncomingMessage, path: string, { trusted }: ListenerTrust): Identity | undefined => {
    const { authorization } = request.headers
    const accountFor = (shown: string): Identity | undefined => acceptToken(shown)?.user
    const isKnown = authorization === undefined ? trusted : administrators.get(request.socket) === authorization
    const found = isKnown
      ? { user: INSTANCE_ADMIN }
      : authenticate({ authorization, certificate: certificateOf(request.socket) }, { token, accountFor })
    if (!isKnown && authorization !== undefined && 'user' in found && found.user === INSTANCE_ADMIN)
      administrators.set(request.socket, authorization)
    if ('user' in found) {
      const { headers } = request
      // Only then: the distinct headers are read anew for each request that asks for them.
      const wantsToAct = Object.keys(headers).some((header) => header.startsWith('impersonate-'))
      return wantsToAct ? actingUser(found.user, request.headersDistinct, headers, authorizer) : found.user
    }
    if ('anonymous' in found && isPublicPath(path)) return undefined
    throw refusals.unauthorized()
  }

  const authorize = (user: Identity, attributes: Attributes): void => {
    const { allowed, reason } = authorizer.authorize(user, attributes)
    if (!allowed) throw forbidden(user, attributes, reason)
  }

  const plainDocument = (path: string, query: URLSearchParams, host: string): PlainDocument | undefined => {
    const keys = tokens && tokenKeysDocument(path, tokens, host)
    if (keys) return keys
    if (path === '/version') return versionDocument(version)
    if (path === '/') return pathsDocument(groupVersions())
    if (path === '/metrics') return { contentType: 'text/plain; version=0.0.4; charset=utf-8', body: metrics.text() }
    return healthDocument(path, query)
  }

  const answer = async (request: IncomingMessage, response: ServerResponse, trust: ListenerTrust, target: Target): Promise<void> => {
    const refused = guard(request.rawHeaders, trust.allowedHosts)
    if (refused)
      throw new StatusError({ code: refused.code, reason: refused.code === 400 ? 'BadRequest' : 'Forbidden', message: refused.message })
    if ('refusal' in target) throw target.refusal
    const { path, query, resource } = target
    const user = userOf(request, path, trust)

    if (user) {
      // Before anything is looked for: who may not ask is not told what there is.
      const attributes = requestAttributes(request.method ?? '', path, resource, query)
      authorize(user, attributes)
      refuseDelegated(server, path, resource)
      const requireVerb = (verb: Verb): void => authorize(user, { ...attributes, verb })
      if (resource) return answerResource({ request, response, user, path: resource, query, requireVerb })
    }

    const reads = request.method === 'GET' || request.method === 'HEAD'
    const bare = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
    const plain = plainDocument(bare, query, request.headers.host ?? '')
    if (plain) {
      if (!reads) throw refusals.methodNotAllowed()
      return sendText(response, 200, plain.body, plain.contentType)
    }
    const { accept, 'if-none-match': ifNoneMatch } = request.headers
    const document = discovery.answer(path, accept, ifNoneMatch) ?? openApi.answer(bare, query, accept, ifNoneMatch)
    if (!document) throw refusals.noSuchResource()
    if (!reads) throw refusals.methodNotAllowed()
    sendDocument(response, document)
  }

  return async (request, response, trust) => {
    // A reader that breaks off is nothing to report: whoever writes sees it by the response being destroyed.
    request.on('error', ignore)
    response.on('error', ignore)
    response.setHeader('Audit-Id', uuid(random))
    response.setHeader('Cache-Control', 'no-cache, private')
    const target = targetOf(request)
    try {
      await answer(request, response, trust, target)
    } catch (error) {
      // A sender that broke off in the middle of its body is no fault of ours.
      const brokeOff = !request.complete && request.destroyed
      if (!(error instanceof StatusError) && !brokeOff)
        log.error('a request failed', { method: request.method, path: pathForLog(request.url), error })
      refuse(response, error instanceof StatusError ? error.status : refusals.internal('the request could not be answered').status)
    }
    metrics.answered(labelsFor(request, target, server, response.statusCode))
  }
}

/** Throws 503 for what an APIService leaves to another server, unless this one has it as well. */
function refuseDelegated(server: ApiServer, path: string, resource: ResourcePath | undefined): void {
  if (resource && server.kindFor(resource.group, resource.version, resource.plural)) return
  const [, group, version] = /^\/apis\/([^/]+)\/([^/]+)/.exec(path) ?? []
  if (group !== undefined && version !== undefined && server.isDelegated(group, version)) throw refusals.unavailable()
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Labels that nobody outside can make up: their number stays bounded. */
function labelsFor(
  request: IncomingMessage,
  target: Target,
  server: ApiServer,
  code: number,
): { verb: string; resource: string; code: number } {
  const verb = METHODS.has(request.method ?? '') ? request.method! : 'OTHER'
  const at = 'refusal' in target ? undefined : target.resource
  return { verb, resource: at && server.kindFor(at.group, at.version, at.plural) ? at.plural : '', code }
}

/** The path without its query, which may hold what nobody should read later. */
function pathForLog(url: string | undefined): string {
  return (url ?? '').split('?', 1)[0]!.slice(0, 200)
}

/** What a request's target says, or why it says nothing. */
type Target = { path: string; query: URLSearchParams; resource: ResourcePath | undefined } | { refusal: StatusError }

function targetOf(request: IncomingMessage): Target {
  const url = request.url ?? ''
  if (!url.startsWith('/')) return { refusal: refusals.badRequest('the request target must be a path') }
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  try {
    return { path, query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)), resource: resourcePathFrom(path) }
  } catch (error) {
    if (error instanceof URIError) return { refusal: refusals.badRequest('the path has a malformed escape') }
    throw error
  }
}

function clientCertificate(socket: TLSSocket): ClientCertificate | undefined {
  // Empty without a certificate; a name that was given several times is a list, whatever the types say.
  const subject: { CN?: string | string[]; O?: string | string[] } | undefined = socket.getPeerCertificate()?.subject
  if (!subject) return undefined
  const all = (value: string | string[] | undefined): string[] => (value === undefined ? [] : Array.isArray(value) ? value : [value])
  return { verified: socket.authorized, commonName: all(subject.CN)[0] ?? '', organizations: all(subject.O) }
}

function ignore(): void {}
