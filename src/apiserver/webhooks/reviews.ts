import { deepEqual } from '../../apimachinery/json.js'
import { applyJsonPatch } from '../../apimachinery/json-patch.js'
import type { KubeObject, ObjectMeta, Unstructured } from '../../apimachinery/object.js'
import { refusals, StatusError } from '../../apimachinery/status-error.js'
import { uuid } from '../../base/random.js'
import type { CallWebhook } from '../crd/conversion.js'
import type { VerbDeps } from '../deps.js'
import { expanded, isSameObject } from '../field-managers.js'
import type { Resource } from '../resource.js'
import { scaledObject, scaleOf } from '../scale.js'
import type { Hook, Hooks } from './configurations.js'
import { isExempt, type Subject, wantedBy } from './matching.js'
import { createRepeatableRandom, stopped } from './repeatable.js'
import { ask, denied, type Question, type Verdict } from './review.js'

/** What the pipeline asks of webhooks while one write is decided. */
export interface Reviews {
  /**
   * The object after the webhooks that may change it. `refilled` makes a whole object of what a patch left. Throws a
   * StatusError for a refusal.
   */
  mutate(
    subject: Subject,
    object: Unstructured,
    warn: (text: string) => void,
    refilled: (patched: Unstructured) => Unstructured,
  ): Unstructured
  /** Throws a StatusError when a webhook refuses. `object` is absent for a deletion. */
  validate(subject: Subject, object: KubeObject | undefined, warn: (text: string) => void): void
}

/** Calls what is configured about a write. */
export interface Webhooks {
  /** Whether any webhook is configured that may concern a resource. */
  concern(resource: Resource): boolean
  /**
   * Makes one write, which webhooks may have a say in. A webhook cannot be asked in the middle of the step that decides what is
   * stored; so `attempt` is made as if all were answered, and where an answer is missing it breaks off with nothing changed, the
   * webhook is asked, and the attempt is made again. Answers hold only for the very object they were given for: who changes the
   * object meanwhile makes webhooks being asked anew. Attempts that go on for ever end in a Conflict.
   */
  decide<T>(deps: VerbDeps, resource: Resource, name: string, attempt: (deps: VerbDeps) => Promise<T>): Promise<T>
}

/** How often one webhook is asked about one write before it is given up: others change the object faster than it answers. */
const MOST_QUESTIONS = 10

interface Known {
  question: Question
  verdict: Verdict
  /** What the webhook's patch makes of the object it was asked about; a refusal where the patch does not fit. */
  patched: Unstructured | StatusError | undefined
}

/** Breaks off an attempt: these have to be asked first. */
class Unanswered extends Error {
  readonly questions: readonly Question[]

  constructor(questions: readonly Question[]) {
    super('webhooks have to be asked first')
    this.name = 'Unanswered'
    this.questions = questions
  }
}

export function createWebhooks(options: { hooks: Hooks; callWebhook: CallWebhook | undefined; isOpen(): boolean }): Webhooks {
  const { hooks, callWebhook, isOpen } = options
  return {
    concern: (resource) => (hooks.mutating.length > 0 || hooks.validating.length > 0) && !isExempt(resource) && isOpen(),
    async decide(deps, resource, name, attempt) {
      const known: Known[] = []
      const { random, again } = createRepeatableRandom(deps.random)
      const frozen: VerbDeps = { ...deps, random, clock: stopped(deps.clock) }
      const reviews = createReviews(frozen, hooks, known)
      for (;;) {
        again()
        try {
          return await attempt({ ...frozen, reviews })
        } catch (error) {
          if (!(error instanceof Unanswered)) throw error
          for (const { hook } of error.questions) {
            if (known.filter(({ question }) => question.hook.id === hook.id).length >= MOST_QUESTIONS)
              throw refusals.conflict(resource.name, name)
          }
          known.push(...(await Promise.all(error.questions.map((question) => answered(question, { callWebhook, uid: uuid(deps.random) })))))
        }
      }
    },
  }
}

async function answered(question: Question, deps: { callWebhook: CallWebhook | undefined; uid: string }): Promise<Known> {
  const { hook, subject, shownAs } = question
  const shown = await shownTo(question)
  const verdict = await ask(shown, deps)
  if (!('allowed' in verdict) || !verdict.allowed || !verdict.patch?.length || !shown.object)
    return { question, verdict, patched: undefined }
  try {
    const next = applyJsonPatch({ ...(expanded(shown.object) as Unstructured) }, verdict.patch) as Unstructured
    const { apiVersion, kind } = shown.object
    const back = { ...next, apiVersion, kind }
    return {
      question,
      verdict,
      patched: (shownAs === subject.resource ? back : await converted(back, shownAs, subject.resource)) as Unstructured,
    }
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    const patched = refusals.internal(`the jsonpatch of webhook ${JSON.stringify(hook.name)} does not apply: ${error.message}`)
    return { question, verdict, patched }
  }
}

/** The question in the version that the webhook wants. */
async function shownTo(question: Question): Promise<Question> {
  const { subject, shownAs, object, old } = question
  if (shownAs === subject.resource) return question
  const shown = async (each: KubeObject | undefined): Promise<KubeObject | undefined> => each && converted(each, subject.resource, shownAs)
  return { ...question, object: await shown(object), old: await shown(old) }
}

async function converted(object: KubeObject, from: Resource, to: Resource): Promise<KubeObject> {
  const stored = from.reading ? await from.reading.stored(object) : object
  return to.reading ? (await to.reading.shown([stored]))[0]! : stored
}

function createReviews(deps: VerbDeps, hooks: Hooks, known: readonly Known[]): Reviews {
  const answerTo = (question: Question): Known | undefined => known.find((each) => isSame(each.question, question))

  const questionFor = (hook: Hook, subject: Subject, object: KubeObject | undefined): Question | undefined => {
    const shownAs = wantedBy(deps, hook, subject, object)
    if (!shownAs) return undefined
    const isScale = subject.subresource === 'scale'
    const shape = (each: KubeObject | undefined): KubeObject | undefined => (each && isScale ? scaleOf(subject.resource, each) : each)
    return { hook, subject, shownAs: isScale ? subject.resource : shownAs, object: shape(object), old: shape(subject.old) }
  }

  return {
    mutate(subject, first, warn, refilled) {
      let object = first
      const invoke = (hook: Hook): boolean => {
        const question = questionFor(hook, subject, subject.operation === 'DELETE' ? undefined : unsettled(object, subject))
        if (!question) return false
        const answer = answerTo(question)
        if (!answer) throw new Unanswered([question])
        judge(hook, answer.verdict, warn)
        const { patched } = answer
        if (!patched) return false
        if (patched instanceof StatusError) throw patched
        const next = refilled(settled(subject, object, patched))
        const changed = !deepEqual(next, object)
        object = next
        return changed
      }
      const again = new Set<Hook>()
      const invoked = new Set<Hook>()
      for (const hook of hooks.mutating) {
        if (invoke(hook)) {
          for (const earlier of invoked) again.add(earlier)
          invoked.clear()
        }
        if (hook.webhook.reinvocationPolicy === 'IfNeeded') invoked.add(hook)
      }
      // Once more, and no third time (apiserver pkg/admission/plugin/webhook/mutating/reinvocationcontext.go).
      for (const hook of hooks.mutating) if (again.has(hook)) invoke(hook)
      return object
    },
    validate(subject, object, warn) {
      const questions = hooks.validating.flatMap((hook) => questionFor(hook, subject, object) ?? [])
      const missing = questions.filter((question) => !answerTo(question))
      if (missing.length > 0) throw new Unanswered(missing)
      let refusal: StatusError | undefined
      for (const question of questions) {
        try {
          judge(question.hook, answerTo(question)!.verdict, warn)
        } catch (error) {
          if (!(error instanceof StatusError)) throw error
          refusal ??= error
        }
      }
      if (refusal) throw refusal
    },
  }
}

/** Whether an answer to the one is an answer to the other: times of managed fields do not count. */
function isSame(a: Question, b: Question): boolean {
  const same = (x: KubeObject | undefined, y: KubeObject | undefined): boolean =>
    x === y || (x !== undefined && y !== undefined && isSameObject(x, y))
  return a.hook.id === b.hook.id && same(a.object, b.object) && same(a.old, b.old)
}

/** Passes on warnings, and throws for a refusal, or for a failure that is not to be ignored. */
function judge({ name, webhook }: Hook, verdict: Verdict, warn: (text: string) => void): void {
  if ('failed' in verdict) {
    if (webhook.failurePolicy === 'Ignore') return
    throw refusals.internal(`failed calling webhook ${JSON.stringify(name)}: ${verdict.failed}`)
  }
  for (const text of verdict.warnings) warn(text)
  if (!verdict.allowed) throw denied(name, verdict.status)
}

/** What the server sets only after webhooks may change an object that is being made. */
const SET_LATER = ['uid', 'creationTimestamp', 'generation'] as const
/** What no webhook may change. */
const SETTLED = [
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const

function unsettled(object: Unstructured, { operation, name }: Subject): Unstructured {
  if (operation !== 'CREATE') return object
  const metadata: ObjectMeta = { ...object.metadata }
  for (const key of SET_LATER) delete metadata[key]
  if (!name) delete (metadata as Partial<ObjectMeta>).name
  return { ...object, metadata }
}

/** A webhook's object without what is not the webhook's to say. */
function settled(subject: Subject, object: Unstructured, patched: Unstructured): Unstructured {
  const next = subject.subresource === 'scale' ? scaledObject(subject.resource, object, patched) : patched
  const { kind, apiVersion } = object
  const metadata: Record<string, unknown> = { ...next.metadata }
  for (const key of SETTLED) {
    delete metadata[key]
    if (object.metadata[key] !== undefined) metadata[key] = object.metadata[key]
  }
  // Who owns which field was settled before webhooks were asked: what they fill in belongs to nobody.
  delete metadata['managedFields']
  if (object.metadata.managedFields) metadata['managedFields'] = object.metadata.managedFields
  return { ...next, kind, apiVersion, metadata: metadata as unknown as ObjectMeta }
}
