/** Words of the language, which a property of that name cannot be written as (apiserver pkg/cel/escaping.go). */
const RESERVED: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '),
)

/**
 * How a property is written in a rule: `foo-bar` is `foo__dash__bar`, `namespace` is `__namespace__`. Undefined for a name
 * that no rule can reach.
 * @see kubernetes/apiserver v0.35 pkg/cel/escaping.go
 */
export function escapedProperty(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`
  if (!/^[A-Za-z_.\-/][A-Za-z0-9_.\-/]*$/.test(name)) return undefined
  return name.replace(/__|[.\-/]/g, (part) => ESCAPES[part]!)
}

const ESCAPES: Readonly<Record<string, string>> = { __: '__underscores__', '.': '__dot__', '-': '__dash__', '/': '__slash__' }
