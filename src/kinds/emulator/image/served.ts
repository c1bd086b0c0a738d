import type { ServedKind } from '../../../apimachinery/kind.js'
import { emulatorImageKind } from './kind.js'
import type { EmulatorImage } from './schema.js'

const text = { type: 'string' } as const

export const emulatorImageServed: ServedKind<EmulatorImage> = {
  kind: emulatorImageKind,
  builtIn: false,
  schema: {
    type: 'object',
    required: ['spec'],
    properties: {
      spec: {
        type: 'object',
        required: ['repository', 'digest', 'type'],
        properties: {
          repository: text,
          tags: { type: 'array', items: text },
          digest: text,
          type: text,
          description: text,
          environment: { type: 'array', items: { type: 'object', properties: { name: text, meaning: text } } },
        },
      },
    },
  },
}
