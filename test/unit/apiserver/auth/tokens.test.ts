import { createPublicKey, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import type { KubeObject } from '../../../../src/apimachinery/object.js'
import { createServiceAccountTokens, ISSUER } from '../../../../src/apiserver/auth/service-account-tokens.js'
import { createSeededRandom } from '../../../../src/base/random.js'
import { type AccessWorld, aKey, anAccessWorld } from './support.js'

interface TokenRequest extends KubeObject {
  spec: { audiences: string[]; expirationSeconds: number }
  status: { token: string; expirationTimestamp: string }
}

const TOKEN = { plural: 'serviceaccounts', name: 'robot', subresource: 'token' } as const

async function aWorldWithRobot(): Promise<AccessWorld & { request(spec?: object): Promise<TokenRequest> }> {
  const world = await anAccessWorld()
  await world.call({ verb: 'create', plural: 'serviceaccounts', object: { metadata: { name: 'robot' } } })
  return {
    ...world,
    request: async (spec) => (await world.call({ ...TOKEN, verb: 'create', object: spec ? { spec } : {} })).object as TokenRequest,
  }
}

const parts = (token: string): [Record<string, unknown>, Record<string, unknown>, string] => {
  const [head, body, signature] = token.split('.')
  const json = (text: string) => JSON.parse(Buffer.from(text, 'base64url').toString())
  return [json(head!), json(body!), signature!]
}

test('a requested token names its account, its audience and its end, and is signed by the published key', async () => {
  const { server, call, request, realClock } = await aWorldWithRobot()
  const answer = await call({ ...TOKEN, verb: 'create', object: {} })
  expect(answer.code).toBe(201)
  const { uid } = ((await call({ verb: 'get', plural: 'serviceaccounts', name: 'robot' })).object as KubeObject).metadata
  const { status, spec, kind, apiVersion } = await request()
  const nowS = Math.floor(realClock.now() / 1000)
  expect({ kind, apiVersion }).toEqual({ kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1' })
  expect(spec).toEqual({ audiences: [ISSUER], expirationSeconds: 3600 })
  expect(status.expirationTimestamp).toBe(`${new Date((nowS + 3600) * 1000).toISOString().slice(0, 19)}Z`)

  const [head, claims, signature] = parts(status.token)
  expect(claims).toMatchObject({
    iss: ISSUER,
    sub: 'system:serviceaccount:shop:robot',
    aud: [ISSUER],
    iat: nowS,
    nbf: nowS,
    exp: nowS + 3600,
    'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'robot', uid } },
  })
  const { keys } = server.access.tokens!.keys() as { keys: { kty: string; kid: string }[] }
  expect(head).toEqual({ alg: 'ES256', kid: keys[0]!.kid })
  const signed = Buffer.from(status.token.slice(0, status.token.lastIndexOf('.')))
  const key = { key: createPublicKey({ key: keys[0]!, format: 'jwk' }), dsaEncoding: 'ieee-p1363' } as const
  expect(verify('sha256', signed, key, Buffer.from(signature, 'base64url'))).toBe(true)

  expect(server.access.acceptToken(status.token)).toEqual({
    user: {
      name: 'system:serviceaccount:shop:robot',
      uid,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${String(claims['jti'])}`] },
    },
    audiences: [ISSUER],
  })
})

test('a token ends on the real clock, and no sooner', async () => {
  const { server, clock, realClock, request } = await aWorldWithRobot()
  const { token } = (await request({ expirationSeconds: 600 })).status
  await clock.advance(3_600_000)
  await realClock.advance(599_000)
  expect(server.access.acceptToken(token)).toBeDefined()
  await realClock.advance(1_000)
  expect(server.access.acceptToken(token)).toBeUndefined()
})

test('a token for someone else, of another cluster, or changed on its way is worth nothing', async () => {
  const { server, store, clock, realClock, request } = await aWorldWithRobot()
  const elsewhere = (await request({ audiences: ['vault'] })).status.token
  expect(server.access.acceptToken(elsewhere)).toBeUndefined()
  expect(server.access.acceptToken(elsewhere, ['vault', 'x'])).toMatchObject({ audiences: ['vault'] })

  const { token } = (await request()).status
  const [head, claims] = parts(token)
  const [first, second, third] = token.split('.') as [string, string, string]
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const later = encoded({ ...claims, exp: Number(claims['exp']) + 1 })
  const unsigned = encoded({ ...head, alg: 'none' })
  for (const forged of [
    `${first}.${later}.${third}`,
    `${unsigned}.${second}.`,
    `${unsigned}.${second}.${third}`,
    `${first}.${second}`,
    `${token}x`,
    'a.b.c',
    '',
  ])
    expect(server.access.acceptToken(forged)).toBeUndefined()

  const stranger = createServiceAccountTokens({ store, key: aKey(), clock, realClock, random: createSeededRandom(1) })
  const account = {
    namespace: 'shop',
    name: 'robot',
    uid: (claims['kubernetes.io'] as { serviceaccount: { uid: string } }).serviceaccount.uid,
  }
  expect(server.access.acceptToken(stranger.issue({ account, audiences: [ISSUER], expirationSeconds: 600 }).token)).toBeUndefined()
})

test('a token ends with its account, and is not that of the next one of the name', async () => {
  const { server, call, request } = await aWorldWithRobot()
  const { token } = (await request()).status
  await call({ verb: 'delete', plural: 'serviceaccounts', name: 'robot' })
  expect(server.access.acceptToken(token)).toBeUndefined()
  await call({ verb: 'create', plural: 'serviceaccounts', object: { metadata: { name: 'robot' } } })
  expect(server.access.acceptToken(token)).toBeUndefined()
})

test('a token that is bound to a Secret or a Pod ends with it', async () => {
  const { server, call, request, refusal } = await aWorldWithRobot()
  await call({ verb: 'create', plural: 'secrets', object: { metadata: { name: 's' } } })
  const spec = { serviceAccountName: 'robot', containers: [{ name: 'c', image: 'x' }] }
  const pod = (await call({ verb: 'create', plural: 'pods', object: { metadata: { name: 'p' }, spec } })).object as KubeObject
  const boundTo = (kind: string, name: string, more: object = {}): object => ({ boundObjectRef: { kind, apiVersion: 'v1', name, ...more } })

  const ofSecret = (await request(boundTo('Secret', 's'))).status.token
  const ofPod = (await request(boundTo('Pod', 'p', { uid: pod.metadata.uid }))).status.token
  expect(server.access.acceptToken(ofPod)?.user.extra).toMatchObject({
    'authentication.kubernetes.io/pod-name': ['p'],
    'authentication.kubernetes.io/pod-uid': [pod.metadata.uid],
  })
  await call({ verb: 'delete', plural: 'pods', name: 'p', options: { gracePeriodSeconds: 0 } })
  await call({ verb: 'delete', plural: 'secrets', name: 's' })
  expect(server.access.acceptToken(ofPod)).toBeUndefined()
  expect(server.access.acceptToken(ofSecret)).toBeUndefined()

  await call({ verb: 'create', plural: 'pods', object: { metadata: { name: 'q' }, spec: { ...spec, serviceAccountName: 'default' } } })
  const why = async (spec: object): Promise<string> => (await refusal({ ...TOKEN, verb: 'create', object: { spec } })).message
  expect(await why(boundTo('Pod', 'p'))).toBe('pods "p" not found')
  expect(await why(boundTo('Pod', 'q'))).toBe(
    'cannot bind token for serviceaccount "robot" to pod running with different serviceaccount name.',
  )
  expect(await why(boundTo('ConfigMap', 'x'))).toBe('cannot bind token to object of type /v1, Kind=ConfigMap')
  await call({ verb: 'create', plural: 'secrets', object: { metadata: { name: 's' } } })
  expect(await why(boundTo('Secret', 's', { uid: 'old' }))).toContain(
    'the UID in the bound object reference (old) does not match the UID in record',
  )
})

test('requests that make no sense are refused as on a cluster', async () => {
  const { refusal } = await aWorldWithRobot()
  const short = await refusal({ ...TOKEN, verb: 'create', object: { spec: { expirationSeconds: 599 } } })
  expect(short.message).toBe(
    'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
  )
  expect((await refusal({ ...TOKEN, name: 'ghost', verb: 'create', object: {} })).message).toBe('serviceaccounts "ghost" not found')
  expect((await refusal({ ...TOKEN, verb: 'get' })).code).toBe(405)
  expect((await refusal({ verb: 'create', plural: 'secrets', name: 's', subresource: 'token', object: {} })).code).toBe(404)
})

test('the token of a Secret lasts while the Secret holds it', async () => {
  const { server, call, realClock } = await aWorldWithRobot()
  const { uid } = ((await call({ verb: 'get', plural: 'serviceaccounts', name: 'robot' })).object as KubeObject).metadata
  const token = server.access.tokens!.issueForSecret({ namespace: 'shop', name: 'robot', uid: uid! }, 's')
  expect(server.access.acceptToken(token)).toBeUndefined()
  const object = {
    metadata: { name: 's', annotations: { 'kubernetes.io/service-account.name': 'robot' } },
    type: 'kubernetes.io/service-account-token',
    stringData: { token },
  }
  await call({ verb: 'create', plural: 'secrets', object })
  await realClock.advance(100 * 86_400_000)
  expect(server.access.acceptToken(token)?.user.name).toBe('system:serviceaccount:shop:robot')
  await call({
    verb: 'patch',
    plural: 'secrets',
    name: 's',
    patch: { type: 'application/merge-patch+json', body: { data: { token: '' } } },
  })
  expect(server.access.acceptToken(token)).toBeUndefined()
})
