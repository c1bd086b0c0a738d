/**
 * Whether two JSON values mean the same to Kubernetes: absent, null, an empty list and an empty map are one and the same.
 * @see k8s.io/apimachinery pkg/api/equality
 */
export function semanticEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (isEmpty(left) || isEmpty(right)) return isEmpty(left) && isEmpty(right)
  if (typeof left !== 'object' || typeof right !== 'object') return false
  if (Array.isArray(left) || Array.isArray(right)) {
    return (
      Array.isArray(left) &&
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, index) => semanticEqual(item, right[index]))
    )
  }
  const a = left as Record<string, unknown>
  const b = right as Record<string, unknown>
  return (
    Object.keys(a).every((key) => semanticEqual(a[key], b[key])) && Object.keys(b).every((key) => key in a || semanticEqual(a[key], b[key]))
  )
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true
  return typeof value === 'object' && Object.keys(value as object).length === 0
}
