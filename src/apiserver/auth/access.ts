import type { Clock } from '../../base/clock.js'
import type { Random } from '../../base/random.js'
import type { Store } from '../../store/store.js'
import { INSTANCE_ADMIN, isSameSecret } from './authenticate.js'
import { type Authorizer, createAuthorizer } from './authorizer.js'
import { type Accepted, createServiceAccountTokens, ISSUER, type ServiceAccountTokens } from './service-account-tokens.js'

/** What an instance proves who someone is with. */
export interface Credentials {
  /** Bearer token of the administrator. */
  adminToken: string
  /** P-256 private key by which tokens of ServiceAccounts are signed; PKCS #8 in PEM. */
  serviceAccountKey: string
}

/** Who someone is and what they may do; one per API server. */
export interface Access {
  readonly authorizer: Authorizer
  /** Undefined where the server was given no key: then ServiceAccounts have no tokens. */
  readonly tokens: ServiceAccountTokens | undefined
  /** Who shows this bearer token; undefined for nobody. Without `audiences` it has to be for the API server. */
  acceptToken(token: string, audiences?: readonly string[]): Accepted | undefined
}

/** Without `credentials` (a server that is only called in the process) no token is issued or accepted. */
export function createAccess(options: {
  store: Store
  credentials: Credentials | undefined
  clock: Clock
  realClock: Clock
  random: Random
}): Access {
  const { credentials, ...deps } = options
  const tokens = credentials && createServiceAccountTokens({ ...deps, key: credentials.serviceAccountKey })
  return {
    authorizer: createAuthorizer(deps),
    tokens,
    acceptToken(token, audiences = [ISSUER]) {
      // The administrator's token says nothing of audiences, so it is for all of them.
      if (credentials && isSameSecret(token, credentials.adminToken)) return { user: INSTANCE_ADMIN, audiences }
      return tokens?.accept(token, audiences)
    },
  }
}
