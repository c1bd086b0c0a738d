import { timestamp } from './object.js'

export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason?: string
  message?: string
  /** Empty means Error; Info conditions never influence the happy one. */
  severity?: 'Info' | 'Warning'
  lastTransitionTime?: string
}

/** A living condition set: `happy` is the worst of `dependents`. */
export interface ConditionSet {
  happy: string
  dependents: readonly string[]
}

/** A living set: its happy condition is Ready. */
export function livingConditions(...dependents: readonly string[]): ConditionSet {
  return { happy: 'Ready', dependents }
}

export interface Conditions {
  get(type: string): Condition | undefined
  isTrue(type: string, because?: { reason: string; message: string }): void
  isFalse(type: string, reason: string, message: string): void
  isUnknown(type: string, reason: string, message: string): void
  /** Copies the happy condition of another object onto `type`; nothing when that object has none yet. */
  follows(type: string, source: Condition | undefined): void
  /** Outside the dependents: carries severity Info and leaves the happy condition alone. */
  info(condition: Omit<Condition, 'lastTransitionTime' | 'severity'>): void
  remove(type: string): void
  /** Sorted by type, each with the time of its last change. */
  list(): Condition[]
}

/**
 * Changes conditions as Knative's condition manager does: which False or Unknown dependent lends its reason to the happy
 * condition depends on the order of the calls. Missing ones start Unknown. All changes share one timestamp.
 * @see knative.dev/pkg apis/condition_set.go
 */
export function conditionsOf(object: { status?: { conditions?: readonly Condition[] } }, set: ConditionSet, nowMs: number): Conditions {
  const now = timestamp(nowMs)
  const before = new Map((object.status?.conditions ?? []).map((condition) => [condition.type, condition]))
  const conditions = new Map(before)
  const isDependent = (type: string): boolean => set.dependents.includes(type)

  const store = (next: Condition): void => {
    const clean: Condition = {
      type: next.type,
      status: next.status,
      ...(next.reason && { reason: next.reason }),
      ...(next.message && { message: next.message }),
      ...(next.severity && { severity: next.severity }),
    }
    const current = conditions.get(next.type)
    const isSame =
      current?.status === clean.status &&
      current.reason === clean.reason &&
      current.message === clean.message &&
      current.severity === clean.severity
    conditions.set(next.type, isSame ? current : { ...clean, lastTransitionTime: now })
  }
  const severityOf = (type: string): Pick<Condition, 'severity'> => (type === set.happy || isDependent(type) ? {} : { severity: 'Info' })
  const happy = (): Condition | undefined => conditions.get(set.happy)

  const latest = (status: Condition['status']): Condition | undefined =>
    set.dependents
      .map((type) => conditions.get(type))
      .filter((condition): condition is Condition => condition?.status === status)
      .sort((a, b) => (b.lastTransitionTime ?? '').localeCompare(a.lastTransitionTime ?? ''))[0]

  const recompute = (): void => {
    const missing = set.dependents.some((type) => !conditions.has(type))
    const worst = latest('False') ?? latest('Unknown')
    if (worst) store({ ...worst, type: set.happy })
    else if (missing) store({ type: set.happy, status: 'Unknown' })
    else store({ type: set.happy, status: 'True' })
  }

  if (!happy()) store({ type: set.happy, status: 'Unknown' })
  for (const type of set.dependents) if (!conditions.has(type)) store({ type, status: happy()!.status === 'True' ? 'True' : 'Unknown' })

  const manager: Conditions = {
    get: (type) => conditions.get(type),
    isTrue(type, because) {
      store({ type, status: 'True', ...because, ...severityOf(type) })
      if (isDependent(type)) recompute()
    },
    isFalse(type, reason, message) {
      store({ type, status: 'False', reason, message, ...severityOf(type) })
      if (isDependent(type)) store({ type: set.happy, status: 'False', reason, message })
    },
    isUnknown(type, reason, message) {
      store({ type, status: 'Unknown', reason, message, ...severityOf(type) })
      if (!isDependent(type)) return
      const anyFalse = set.dependents.some((dependent) => conditions.get(dependent)?.status === 'False')
      if (!anyFalse) store({ type: set.happy, status: 'Unknown', reason, message })
      else if (happy()?.status !== 'False') store({ type: set.happy, status: 'False', reason, message })
    },
    follows(type, source) {
      if (!source) return
      const { status, reason = '', message = '' } = source
      if (status === 'True') manager.isTrue(type)
      else if (status === 'False') manager.isFalse(type, reason, message)
      else manager.isUnknown(type, reason, message)
    },
    info: (condition) => store({ ...condition, severity: 'Info' }),
    remove: (type) => void conditions.delete(type),
    list: () => [...conditions.values()].sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0)),
  }
  return manager
}

/** The happy condition of an object, if it has one yet. */
export function readyCondition(object: { status?: { conditions?: readonly Condition[] } }): Condition | undefined {
  return object.status?.conditions?.find((condition) => condition.type === 'Ready')
}

/** Ready at its present generation: what every check on a child requires. */
export function isReady(object: {
  metadata: { generation?: number }
  status?: { observedGeneration?: number; conditions?: readonly Condition[] }
}): boolean {
  return object.status?.observedGeneration === object.metadata.generation && readyCondition(object)?.status === 'True'
}

/** Failed at its present generation. */
export function isFailed(object: {
  metadata: { generation?: number }
  status?: { observedGeneration?: number; conditions?: readonly Condition[] }
}): boolean {
  return object.status?.observedGeneration === object.metadata.generation && readyCondition(object)?.status === 'False'
}
