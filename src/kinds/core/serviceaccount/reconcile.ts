import { refText } from '../../../apimachinery/object.js'
import { isNotFound } from '../../../apimachinery/status-error.js'
import type { Controller, ReconcilerDeps } from '../../../controller/reconcile.js'
import type { Engines } from '../../engines.js'
import { secretKind } from '../secret/kind.js'
import type { Secret } from '../secret/schema.js'
import { serviceAccountKind } from './kind.js'

const TOKEN_TYPE = 'kubernetes.io/service-account-token'
const ACCOUNT_NAME = 'kubernetes.io/service-account.name'
const ACCOUNT_UID = 'kubernetes.io/service-account.uid'

/**
 * Fills in Secrets of type kubernetes.io/service-account-token, and takes them away with the ServiceAccount they are for.
 * ServiceAccounts get none by themselves, as on clusters since 1.24.
 * @see kubernetes/kubernetes v1.35 pkg/controller/serviceaccount/tokens_controller.go
 */
export function createTokenController(engines: Pick<Engines, 'tokenForSecret' | 'caCertificate'>): Controller<Secret> {
  return {
    kind: secretKind,
    actsAs: 'system:serviceaccount:kube-system:tokens-controller',
    wokenBy: [
      {
        kind: serviceAccountKind,
        wakes: ({ metadata: { namespace, name } }, all) =>
          all
            .list(namespace)
            .filter((secret) => accountOf(secret as Secret) === name)
            .map(({ metadata }) => ({ namespace, name: metadata.name })),
      },
    ],
    create: (deps) => async (secret) => {
      const name = accountOf(secret)
      if (name !== undefined && engines.tokenForSecret) await fill(deps, secret, name, engines.tokenForSecret, engines.caCertificate)
      return {}
    },
  }
}

function accountOf({ type, metadata }: Secret): string | undefined {
  return type === TOKEN_TYPE ? metadata.annotations?.[ACCOUNT_NAME] : undefined
}

async function fill(
  { client, log }: ReconcilerDeps,
  secret: Secret,
  name: string,
  tokenForSecret: NonNullable<Engines['tokenForSecret']>,
  caCertificate: string,
): Promise<void> {
  const { metadata, data = {} } = secret
  const namespace = metadata.namespace!
  // Asked for rather than looked up in a cache: a Secret may come right behind its ServiceAccount.
  const account = await client.find(serviceAccountKind, { namespace, name })
  const uid = account?.metadata.uid
  const madeFor = metadata.annotations?.[ACCOUNT_UID]
  if (!uid || (madeFor && madeFor !== uid)) {
    log.info('deleting a token whose service account is gone', { secret: refText(metadata) })
    const preconditions = { uid: metadata.uid! }
    await client.delete(secretKind, metadata, { preconditions }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
    return
  }
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const wanted = {
    'ca.crt': base64(caCertificate),
    namespace: base64(namespace),
    token: data['token'] || base64(tokenForSecret({ namespace, name, uid }, metadata.name)),
  }
  const isComplete = madeFor === uid && Object.entries(wanted).every(([key, value]) => data[key] === value)
  if (isComplete) return
  const annotations = { ...metadata.annotations, [ACCOUNT_UID]: uid }
  await client.update(secretKind, { ...secret, metadata: { ...metadata, annotations }, data: { ...data, ...wanted } })
}
