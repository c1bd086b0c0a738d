import { deepCopy, isJsonObject, type JsonObject } from '../../apimachinery/json.js'
import type { KubeObject } from '../../apimachinery/object.js'
import { StatusError } from '../../apimachinery/status-error.js'
import type { CallWebhook } from '../crd/conversion.js'
import { expanded } from '../field-managers.js'
import type { Resource } from '../resource.js'
import type { Hook } from './configurations.js'
import { requestFacts, type Subject } from './matching.js'

/** What a webhook made of a write. */
export type Verdict =
  | { failed: string }
  | { allowed: true; patch: readonly unknown[] | undefined; warnings: readonly string[] }
  | { allowed: false; status: JsonObject; warnings: readonly string[] }

/** A write as one webhook is asked about it. */
export interface Question {
  hook: Hook
  subject: Subject
  /** The version in which the webhook wants to see it. */
  shownAs: Resource
  object: KubeObject | undefined
  old: KubeObject | undefined
}

const REVIEW_GROUP = 'admission.k8s.io'

/**
 * Asks a webhook. Never rejects: a webhook that cannot be reached, or whose answer is none, has failed.
 * @see kubernetes/apiserver v0.35 pkg/admission/plugin/webhook/request/admissionreview.go
 */
export async function ask(question: Question, deps: { callWebhook: CallWebhook | undefined; uid: string }): Promise<Verdict> {
  const { hook } = question
  const { callWebhook, uid } = deps
  if (!callWebhook) return { failed: 'failed to call webhook: this server cannot call webhooks' }
  const body = JSON.stringify(reviewOf(question, uid))
  let answer: { status: number; body: string }
  try {
    answer = await callWebhook(hook.webhook.clientConfig, body, hook.timeoutSeconds)
  } catch (error) {
    return { failed: `failed to call webhook: ${error instanceof Error ? error.message : String(error)}` }
  }
  if (answer.status < 200 || answer.status > 299) return { failed: `failed to call webhook: ${statusText(answer)}` }
  try {
    return verdictIn(answer.body, { hook, uid })
  } catch (error) {
    return { failed: `received invalid webhook response: ${error instanceof Error ? error.message : String(error)}` }
  }
}

function reviewOf({ hook, subject, shownAs, object, old }: Question, uid: string): object {
  const facts = requestFacts(subject)
  const isScale = subject.subresource === 'scale'
  const { group, version, kind, plural } = shownAs.kind
  return {
    kind: 'AdmissionReview',
    apiVersion: `${REVIEW_GROUP}/${hook.reviewVersion}`,
    request: {
      uid,
      ...facts,
      ...(!isScale && { kind: { group, version, kind } }),
      resource: { group, version, resource: plural },
      object: object ? expanded(object) : null,
      oldObject: old ? expanded(old) : null,
      options: optionsOf(subject),
    },
  }
}

const OPTIONS_KIND = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' } as const

function optionsOf({ operation, options }: Subject): object {
  const { fieldManager, fieldValidation, dryRun, gracePeriodSeconds, propagationPolicy, preconditions } = options
  return {
    kind: OPTIONS_KIND[operation],
    apiVersion: 'meta.k8s.io/v1',
    ...(dryRun && { dryRun: ['All'] }),
    ...(operation === 'DELETE'
      ? {
          ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
          ...(propagationPolicy && { propagationPolicy }),
          ...(preconditions && { preconditions }),
        }
      : { ...(fieldManager && { fieldManager }), ...(fieldValidation && { fieldValidation }) }),
  }
}

/** Throws, in upstream's words, for an answer that is none. @see VerifyAdmissionResponse */
function verdictIn(body: string, { hook, uid }: { hook: Hook; uid: string }): Verdict {
  const review: unknown = JSON.parse(body)
  if (!isJsonObject(review) || !isJsonObject(review['response'])) throw new Error('webhook response was absent')
  const { response } = review as { response: JsonObject }
  if (hook.reviewVersion === 'v1') {
    if (response['uid'] !== uid)
      throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response['uid'] ?? '')}`)
    const wanted = `${REVIEW_GROUP}/v1, Kind=AdmissionReview`
    const found = `${textIn(review, 'apiVersion')}, Kind=${textIn(review, 'kind')}`
    if (found !== wanted) throw new Error(`expected webhook response of ${wanted}, got ${found}`)
  }
  const warnings = Array.isArray(response['warnings']) ? response['warnings'].map(String) : []
  const patch = patchIn(response, hook)
  if (response['allowed'] === true) return { allowed: true, patch, warnings }
  return { allowed: false, status: isJsonObject(response['status']) ? response['status'] : {}, warnings }
}

const textIn = (object: JsonObject, key: string): string => (typeof object[key] === 'string' ? object[key] : '')

function patchIn(response: JsonObject, { isMutating, reviewVersion }: Hook): readonly unknown[] | undefined {
  const text = textIn(response, 'patch')
  const type = response['patchType']
  if (!isMutating) {
    if (reviewVersion === 'v1' && text) throw new Error('validating webhook may not return response.patch')
    if (reviewVersion === 'v1' && type !== undefined && type !== null)
      throw new Error('validating webhook may not return response.patchType')
    return undefined
  }
  if (reviewVersion === 'v1') {
    const isTyped = type !== undefined && type !== null
    if (text && !isTyped) throw new Error('webhook returned response.patch but not response.patchType')
    if (!text && isTyped) throw new Error('webhook returned response.patchType but not response.patch')
  }
  if (!text) return undefined
  if (type !== undefined && type !== null && type !== 'JSONPatch')
    throw new Error(`webhook returned invalid response.patchType of ${JSON.stringify(type)}`)
  const patch: unknown = JSON.parse(Buffer.from(text, 'base64').toString())
  if (!Array.isArray(patch)) throw new Error('json: cannot unmarshal object into Go value of type jsonpatch.Patch')
  return patch
}

/** What Go's client makes of an answer that is no success (apimachinery pkg/api/errors, NewGenericServerResponse). */
function statusText({ status, body }: { status: number; body: string }): string {
  const given = statusIn(body)
  if (given) return given
  switch (status) {
    case 401:
      return 'the server has asked for the client to provide credentials'
    case 404:
      return 'the server could not find the requested resource'
    case 405:
      return 'the server does not allow this method on the requested resource'
    case 429:
      return 'the server has received too many requests and has asked us to try again later'
    case 503:
      return 'the server is currently unable to handle the request'
    case 504:
      return 'the server was unable to return a response in the time allotted, but may still be processing the request'
  }
  if (status >= 500)
    return `an error on the server (${JSON.stringify(body.slice(0, 200) || 'unknown')}) has prevented the request from succeeding`
  return 'the server rejected our request for an unknown reason'
}

function statusIn(body: string): string | undefined {
  try {
    const status: unknown = JSON.parse(body)
    return isJsonObject(status) && status['kind'] === 'Status' && status['status'] !== 'Success'
      ? textIn(status, 'message') || undefined
      : undefined
  } catch {
    return undefined
  }
}

/**
 * The refusal of a write that a webhook denied.
 * @see kubernetes/apiserver v0.35 pkg/admission/plugin/webhook/errors/statuserror.go
 */
export function denied(hookName: string, status: JsonObject): StatusError {
  const by = `admission webhook ${JSON.stringify(hookName)} denied the request`
  const why = textIn(status, 'message') || textIn(status, 'reason')
  const code = typeof status['code'] === 'number' && status['code'] >= 400 ? status['code'] : 400
  return new StatusError({
    code,
    reason: textIn(status, 'reason'),
    message: why ? `${by}: ${why}` : `${by} without explanation`,
    ...(isJsonObject(status['details']) && { details: deepCopy(status['details']) }),
  })
}
