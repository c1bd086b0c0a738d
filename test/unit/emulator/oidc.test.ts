import { expect, test } from 'vitest'
import type { ServiceAccountTokens } from '../../../src/apiserver/auth/service-account-tokens.js'
import { createVirtualClock } from '../../../src/base/clock.js'
import { createOidc } from '../../../src/emulator/oidc.js'
import { serviceAccountKind } from '../../../src/kinds/core/serviceaccount/kind.js'
import type { ServiceAccount } from '../../../src/kinds/core/serviceaccount/schema.js'
import { createFakeInformer } from '../gateway/support.js'

const account = { namespace: 'default', name: 'sender' }
const aServiceAccount = (uid: string): ServiceAccount => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...account, uid } })

function anOidc(flags: Record<string, string> = {}) {
  const realClock = createVirtualClock()
  const serviceAccounts = createFakeInformer<ServiceAccount>(serviceAccountKind)
  const issued: string[] = []
  const tokens = {
    issue(request: Parameters<ServiceAccountTokens['issue']>[0]) {
      issued.push(`${request.account.uid} for ${request.audiences.join()}`)
      return { token: `token-${issued.length}`, expiresMs: realClock.now() + request.expirationSeconds * 1000 }
    },
    accept: (token: string, audiences: readonly string[]) =>
      token === 'good' ? { user: { name: `sender for ${audiences.join()}`, groups: [] }, audiences } : undefined,
  } as unknown as ServiceAccountTokens
  const configMap = (namespace: string, name: string) => (namespace === 'knative-eventing' && name === 'config-features' ? flags : {})
  return { oidc: createOidc({ tokens, serviceAccounts, configMap, realClock }), realClock, serviceAccounts, issued }
}

test('a token is used again until five minutes before it expires, for one account and one audience', async () => {
  const { oidc, realClock, serviceAccounts, issued } = anOidc()
  serviceAccounts.put(aServiceAccount('uid-1'))
  expect(await oidc.tokenFor(account, 'a')).toBe('token-1')
  expect(await oidc.tokenFor(account, 'b')).toBe('token-2')
  await realClock.advance(55 * 60_000 - 1)
  expect(await oidc.tokenFor(account, 'a')).toBe('token-1')
  await realClock.advance(1)
  expect(await oidc.tokenFor(account, 'a')).toBe('token-3')
  // An account that was made anew is another one.
  serviceAccounts.put(aServiceAccount('uid-2'))
  expect(await oidc.tokenFor(account, 'a')).toBe('token-4')
  expect(issued).toEqual(['uid-1 for a', 'uid-1 for b', 'uid-1 for a', 'uid-2 for a'])
})

test('without the account there is no token', async () => {
  await expect(anOidc().oidc.tokenFor(account, 'a')).rejects.toThrow('could not get a token: serviceaccounts "sender" not found')
})

test('the flags are those of the moment, and tokens are judged for an audience', () => {
  const flags: Record<string, string> = {}
  const { oidc } = anOidc(flags)
  expect([oidc.isEnabled(), oidc.defaultMode()]).toEqual([false, 'Allow-Same-Namespace'])
  Object.assign(flags, { 'authentication-oidc': 'Enabled', 'default-authorization-mode': 'deny-all' })
  expect([oidc.isEnabled(), oidc.defaultMode()]).toEqual([true, 'Deny-All'])
  expect(oidc.subjectOf('good', 'me')).toBe('sender for me')
  expect(oidc.subjectOf('bad', 'me')).toBeUndefined()
})
