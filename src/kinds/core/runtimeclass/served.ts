import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { ServedKind } from '../../../apimachinery/kind.js'
import { dns1123Label } from '../../../apimachinery/names.js'
import { anyList, fields, objectSchema, quantities, text, textMap } from '../schema-parts.js'
import { type RuntimeClass, runtimeClassKind } from './kind.js'

/** Ways to run Pods, as names: a Pod here is run by what its image asks for, whatever its class. */
export const runtimeClassServed: ServedKind<RuntimeClass> = {
  kind: {
    ...runtimeClassKind,
    columns: [
      { name: 'Handler', type: 'string', cell: ({ handler }: RuntimeClass) => handler },
      { name: 'Age', type: 'string', cell: ({ metadata }: RuntimeClass, nowMs) => age(metadata.creationTimestamp, nowMs) },
    ],
  },
  builtIn: true,
  unconditionalUpdate: false,
  generation: false,
  schema: objectSchema(
    'RuntimeClass names a way to run Pods.',
    {
      handler: text,
      overhead: fields({ podFixed: quantities }),
      scheduling: fields({ nodeSelector: textMap, tolerations: anyList }),
    },
    ['handler'],
  ),
  validate: ({ handler }, { old }) => [
    ...dns1123Label(handler).map((problem) => causes.invalid('handler', handler, problem)),
    ...(old && old.handler !== handler ? [causes.invalid('handler', handler, 'field is immutable')] : []),
  ],
}
