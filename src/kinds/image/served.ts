import type { ServedKind } from '../../apimachinery/kind.js'
import { imageKind } from './kind.js'
import { type Image, imageSchema } from './schema.js'

export const imageServed: ServedKind<Image> = { kind: imageKind, schema: imageSchema, builtIn: false }
