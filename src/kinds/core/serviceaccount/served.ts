import type { ServedKind } from '../../../apimachinery/kind.js'
import { flag, listMergedBy, localReference, objectReference, objectSchema } from '../schema-parts.js'
import { serviceAccountKind } from './kind.js'
import type { ServiceAccount } from './schema.js'

export const serviceAccountServed: ServedKind<ServiceAccount> = {
  kind: {
    ...serviceAccountKind,
    columns: [
      {
        name: 'Secrets',
        type: 'string',
        description: 'How many Secrets it may use.',
        cell: ({ secrets }: ServiceAccount) => String(secrets?.length ?? 0),
      },
    ],
  },
  builtIn: true,
  unconditionalUpdate: true,
  generation: false,
  deleteReturnsObject: true,
  schema: objectSchema('ServiceAccount is an identity that workloads act as.', {
    automountServiceAccountToken: flag,
    imagePullSecrets: listMergedBy(localReference, 'name'),
    secrets: listMergedBy(objectReference, 'name'),
  }),
}
