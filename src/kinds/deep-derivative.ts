/**
 * Whether everything that `wanted` says is so in `actual`: what is unset, empty or null on the wanted side is not compared.
 * Knative's controllers compare children this way, so taking a field out of a spec does not reach the child.
 * @see k8s.io/apimachinery third_party/forked/golang/reflect/deep_equal.go, DeepDerivative
 */
export function isDerivative(wanted: unknown, actual: unknown): boolean {
  if (wanted === undefined || wanted === null || wanted === '') return true
  if (Array.isArray(wanted)) {
    if (wanted.length === 0) return true
    return Array.isArray(actual) && wanted.length === actual.length && wanted.every((item, index) => isDerivative(item, actual[index]))
  }
  if (typeof wanted === 'object') {
    const fields = wanted as Record<string, unknown>
    const other = typeof actual === 'object' && actual !== null ? (actual as Record<string, unknown>) : {}
    return Object.keys(fields).every((key) => isDerivative(fields[key], Object.hasOwn(other, key) ? other[key] : undefined))
  }
  return wanted === actual
}
