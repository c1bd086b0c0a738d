import type { KubeObject } from '../../../apimachinery/object.js'

export interface ScopeRequirement {
  scopeName: string
  operator: string
  values?: string[]
}

export interface ResourceQuota extends KubeObject {
  spec: {
    hard?: Record<string, string>
    scopes?: string[]
    scopeSelector?: { matchExpressions?: ScopeRequirement[] }
  }
  status?: { hard?: Record<string, string>; used?: Record<string, string> }
}
