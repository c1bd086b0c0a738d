import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { ServedKind } from '../../../apimachinery/kind.js'
import { qualifiedName } from '../../../apimachinery/names.js'
import { fields, objectSchema, text } from '../schema-parts.js'
import { type IngressClass, ingressClassKind } from './kind.js'

/** Which controller acts on which Ingresses; there is none here. */
export const ingressClassServed: ServedKind<IngressClass> = {
  kind: {
    ...ingressClassKind,
    columns: [
      { name: 'Controller', type: 'string', cell: ({ spec }: IngressClass) => spec?.controller ?? '' },
      { name: 'Parameters', type: 'string', cell: parametersText },
      { name: 'Age', type: 'string', cell: ({ metadata }: IngressClass, nowMs) => age(metadata.creationTimestamp, nowMs) },
    ],
  },
  builtIn: true,
  unconditionalUpdate: true,
  schema: objectSchema('IngressClass names the controller of Ingresses.', {
    spec: fields({
      controller: text,
      parameters: fields({ apiGroup: text, kind: text, name: text, namespace: text, scope: text }, ['kind', 'name']),
    }),
  }),
  defaults({ spec }) {
    if (spec?.parameters) spec.parameters.scope ??= 'Cluster'
  },
  validate({ spec }, { old }) {
    const controller = spec?.controller ?? ''
    if (old && old.spec?.controller !== spec?.controller) return [causes.invalid('spec.controller', controller, 'field is immutable')]
    if (!controller) return [causes.required('spec.controller')]
    return controller.includes('/')
      ? qualifiedName(controller.toLowerCase()).map((problem) => causes.invalid('spec.controller', controller, problem))
      : [causes.invalid('spec.controller', controller, 'must be a domain-prefixed path (such as "acme.io/foo")')]
  },
}

function parametersText({ spec }: IngressClass): string {
  const { parameters } = spec ?? {}
  if (!parameters) return '<none>'
  return `${parameters.kind}${parameters.apiGroup ? `.${parameters.apiGroup}` : ''}/${parameters.name}`
}
