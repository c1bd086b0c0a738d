/**
 * The fields in which two JSON values differ, one block per field, as Knative's webhooks show a forbidden change.
 * @see knative.dev/pkg kmp/diff.go, ShortDiff
 */
export function shortDiff(root: string, before: unknown, after: unknown): string {
  const blocks: string[] = []
  const visit = (path: string, left: unknown, right: unknown): void => {
    if (isMap(left) && isMap(right)) {
      for (const key of [...new Set([...Object.keys(left), ...Object.keys(right)])].sort()) visit(`${path}.${key}`, left[key], right[key])
    } else if (Array.isArray(left) && Array.isArray(right)) {
      for (let index = 0; index < Math.max(left.length, right.length); index++) visit(`${path}[${index}]`, left[index], right[index])
    } else if (JSON.stringify(left) !== JSON.stringify(right)) {
      blocks.push(`{${root}}${path}:\n\t-: ${shown(left)}\n\t+: ${shown(right)}\n`)
    }
  }
  visit('', before, after)
  return blocks.join('')
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const shown = (value: unknown): string => (value === undefined ? '<invalid reflect.Value>' : JSON.stringify(value))
