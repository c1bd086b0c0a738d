import { expect, test } from 'vitest'
import { StatusError } from '../../../../src/apimachinery/status-error.js'
import { decodeProtobuf } from '../../../../src/apiserver/protobuf/decode.js'
import { bodyOf, fixture, number, part, varint } from './support.js'

const POD = { apiVersion: 'v1', kind: 'Pod' }
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' }
const CRD = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
const SECRET = { apiVersion: 'v1', kind: 'Secret' }

const read = (body: Buffer, expected?: { apiVersion: string; kind: string }) => decodeProtobuf(body, expected).value

/** The text of the 400 that a body is refused with. */
function refusalOf(body: Buffer, expected?: { apiVersion: string; kind: string }): string {
  try {
    decodeProtobuf(body, expected)
  } catch (error) {
    if (error instanceof StatusError && error.code === 400 && error.reason === 'BadRequest') return error.message
    throw error
  }
  throw new Error('the body was read')
}

test('replicas 0 is kept, since someone asked for it; a number that Go writes unasked is not', () => {
  const spec = part(2, number(1, 0), number(5, 0), number(7, 0))
  expect(read(bodyOf(DEPLOYMENT, spec))).toEqual({ ...DEPLOYMENT, spec: { replicas: 0 } })
})

test('an empty volume source and an empty security context are kept', () => {
  const volume = part(1, part(1, 'scratch'), part(2, part(2)))
  expect(read(bodyOf(POD, part(2, volume, part(14))))).toEqual({
    ...POD,
    spec: { volumes: [{ name: 'scratch', emptyDir: {} }], securityContext: {} },
  })
})

test('empty values and keys of maps are kept, whether written out or left out', () => {
  const entries = [part(2, part(1, 'written'), part(2)), part(2, part(1, 'left')), part(2, part(2, 'no key'))]
  expect(read(bodyOf(SECRET, ...entries))).toEqual({ ...SECRET, data: { written: '', left: '', '': 'bm8ga2V5' } })
})

test('a key __proto__ is a key like any other', () => {
  const { data } = read(bodyOf(SECRET, part(2, part(1, '__proto__'), part(2, 'x')))) as { data: object }
  expect(Object.entries(data)).toEqual([['__proto__', 'eA==']])
})

test('a message in two parts is one, and the later of two values counts', () => {
  const body = bodyOf(DEPLOYMENT, part(1, part(1, 'first'), part(3, 'shop')), part(1, part(1, 'second')), part(1, part(3)))
  expect(read(body)).toEqual({ ...DEPLOYMENT, metadata: { name: 'second' } })
})

test('fields that nobody knows are passed over, groups and fixed numbers included', () => {
  const group = Buffer.concat([varint(99 * 8 + 3), number(1, 300), varint(99 * 8 + 3), varint(99 * 8 + 4), varint(99 * 8 + 4)])
  const fixed = Buffer.concat([varint(98 * 8 + 1), Buffer.alloc(8), varint(97 * 8 + 5), Buffer.alloc(4)])
  expect(read(bodyOf(SECRET, group, part(3, 'Opaque'), fixed, part(96, 'x'), number(95, -1)))).toEqual({ ...SECRET, type: 'Opaque' })
})

test('lists of numbers are read packed and unpacked', () => {
  const groups = [number(4, 1), part(4, varint(-2), varint(3)), part(4)]
  expect(read(bodyOf(POD, part(2, part(14, ...groups))))).toEqual({
    ...POD,
    spec: { securityContext: { supplementalGroups: [1, -2, 3] } },
  })
})

test('numbers of 32 bits wrap around, as in Go', () => {
  expect(read(bodyOf(DEPLOYMENT, part(2, number(1, 2 ** 32 + 5), number(9, -1))))).toEqual({
    ...DEPLOYMENT,
    spec: { replicas: 5, progressDeadlineSeconds: -1 },
  })
})

test.each([
  ['now', part(8, number(1, 1_709_209_845), number(2, 999_999_999)), { creationTimestamp: '2024-02-29T12:30:45Z' }],
  ['1970', part(8, number(1, 0)), { creationTimestamp: '1970-01-01T00:00:00Z' }],
  ['never', part(8), undefined],
  ["Go's zero time", part(8, number(1, -62_135_596_800)), undefined],
])('a time is shown in whole seconds (%s)', (_, field, metadata) => {
  expect(read(bodyOf(SECRET, part(1, field)))).toEqual({ ...SECRET, ...(metadata && { metadata }) })
})

test.each([
  [123_456_789, '2024-02-29T12:30:45.123456Z'],
  [0, '2024-02-29T12:30:45.000000Z'],
  [-1000, '2024-02-29T12:30:44.999999Z'],
])('a time with parts of a second has six digits (%i ns)', (nanos, renewTime) => {
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }
  const body = bodyOf(lease, part(2, part(4, number(1, 1_709_209_845), number(2, nanos))))
  expect(read(body)).toEqual({ ...lease, spec: { renewTime } })
})

test('quantities come in the form that the API server stores', () => {
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota' }
  const entry = (name: string, ...text: string[]) => part(1, part(1, name), part(2, ...text.map((each) => part(1, each))))
  expect(read(bodyOf(quota, part(2, entry('cpu', '1000m'), entry('memory', '1024Mi'), entry('pods'))))).toEqual({
    ...quota,
    spec: { hard: { cpu: '1', memory: '1Gi', pods: '0' } },
  })
  expect(refusalOf(bodyOf(quota, part(2, entry('cpu', 'many'))))).toContain('quantities must match the regular expression')
})

test('a schema of a custom resource shows choices by what is chosen, and JSON as it was written', () => {
  const property = (name: string, ...fields: Buffer[]) => part(29, part(1, name), part(2, ...fields))
  const schema = part(
    1,
    property('open', part(30, number(1, 1))),
    property('closed', part(30, number(1, 0))),
    property('typed', part(30, number(1, 1), part(2, part(5, 'string')))),
    property('any', part(30, number(1, 1), part(2))),
    property('one', part(24, part(1, part(5, 'string')))),
    property('several', part(24, part(2, part(5, 'string')), part(2))),
    property('preset', part(8, part(1, '{"a":[1,null]}')), part(20, part(1, '"x"')), part(20, part(1, 'null'))),
    property('nothing', part(8, part(1, 'null'))),
  )
  const version = part(7, part(1, 'v1'), number(2, 1), number(3, 0), part(4, schema))
  expect(read(bodyOf(CRD, part(2, version)))).toEqual({
    ...CRD,
    spec: {
      versions: [
        {
          name: 'v1',
          served: true,
          storage: false,
          schema: {
            openAPIV3Schema: {
              properties: {
                open: { additionalProperties: true },
                closed: { additionalProperties: false },
                typed: { additionalProperties: { type: 'string' } },
                any: { additionalProperties: {} },
                one: { items: { type: 'string' } },
                several: { items: [{ type: 'string' }, {}] },
                preset: { default: { a: [1, null] }, enum: ['x', null] },
                nothing: { default: null },
              },
            },
          },
        },
      ],
    },
  })
})

test('DeleteOptions belong to every version', () => {
  const type = { apiVersion: 'example.dev/v7', kind: 'DeleteOptions' }
  expect(read(bodyOf(type, number(1, 0), part(2, part(1, 'u-1')), part(4, 'Foreground'), part(5, 'All')))).toEqual({
    ...type,
    gracePeriodSeconds: 0,
    preconditions: { uid: 'u-1' },
    propagationPolicy: 'Foreground',
    dryRun: ['All'],
  })
})

test('a list of any kind is read, and the items of a List whether in JSON or in protobuf', () => {
  const list = { apiVersion: 'apps/v1', kind: 'DeploymentList' }
  expect(read(bodyOf(list, part(1, part(2, '7')), part(2, part(1, part(1, 'web')))))).toEqual({
    ...list,
    metadata: { resourceVersion: '7' },
    items: [{ metadata: { name: 'web' } }],
  })
  const mixed = { apiVersion: 'v1', kind: 'List' }
  const items = [part(2, part(1, '{"kind":"Secret"}')), part(2, part(1, bodyOf(SECRET, part(3, 'Opaque'))))]
  expect(read(bodyOf(mixed, ...items))).toEqual({ ...mixed, items: [{ kind: 'Secret' }, { ...SECRET, type: 'Opaque' }] })
})

test('a body that does not say what it is is what is expected', () => {
  expect(read(bodyOf(undefined, part(3, 'Opaque')), SECRET)).toEqual({ ...SECRET, type: 'Opaque' })
})

test.each([
  ['nothing', Buffer.alloc(0), 'the object provided is unrecognized (must be of type Pod): empty data (<empty>)'],
  [
    'JSON',
    Buffer.from('{}'),
    'the object provided is unrecognized (must be of type Pod): provided data does not appear to be a protobuf message, ' +
      'expected prefix [107 56 115 0] (7b7d)',
  ],
  ['no envelope', Buffer.from('k8s\0'), 'the object provided is unrecognized (must be of type Pod): empty body (6b387300)'],
  [
    'a cut envelope',
    Buffer.from('k8s\0\n\x09'),
    'the object provided is unrecognized (must be of type Pod): unexpected EOF (6b3873000a09)',
  ],
  [
    'a kind that nobody knows',
    bodyOf({ apiVersion: 'v1', kind: 'Gadget' }),
    'Gadget in version "v1" cannot be handled as a Pod: no kind "Gadget" is registered for version "v1" in scheme ' +
      '"pkg/api/legacyscheme/scheme.go:30"',
  ],
  ['part of a kind', bodyOf({ apiVersion: 'v1', kind: 'PodSpec' }), 'no kind "PodSpec" is registered for version "v1"'],
  ['a cut message', bodyOf(POD, Buffer.from([0x0a, 0x05, 0x0a])), 'Pod in version "v1" cannot be handled as a Pod: unexpected EOF'],
  ['a number for a message', bodyOf(POD, number(2, 1)), 'proto: wrong wireType = 0 for field Spec'],
  ['a number for a map', bodyOf(POD, part(1, number(11, 1))), 'proto: wrong wireType = 0 for field Labels'],
  ['a number for a key', bodyOf(POD, part(1, part(11, number(1, 1)))), 'proto: wrong wireType = 0 for field mapkey'],
  ['text for a number', bodyOf(POD, part(2, part(4, 'x'))), 'proto: wrong wireType = 2 for field TerminationGracePeriodSeconds'],
  ['an endless number', bodyOf(POD, part(2, Buffer.from([4 * 8, ...Array(11).fill(0x80)]))), 'proto: integer overflow'],
  ['a negative length', bodyOf(POD, varint(1 * 8 + 2), varint(-5)), 'proto: negative length found during unmarshaling'],
  ['field 0', bodyOf(POD, Buffer.from([0])), 'proto: Pod: illegal tag 0 (wire type 0)'],
  ['a negative field', bodyOf(POD, varint(2 ** 34)), 'proto: Pod: illegal tag -2147483648 (wire type 17179869184)'],
  ['the end of no group', bodyOf(POD, varint(9 * 8 + 4)), 'proto: Pod: wiretype end group for non-group'],
  ['an odd wire type', bodyOf(POD, varint(99 * 8 + 7)), 'proto: illegal wireType 7'],
  ['an open group', bodyOf(POD, varint(99 * 8 + 3)), 'unexpected EOF'],
  ['the year 300,000', bodyOf(POD, part(1, part(8, number(1, 2 ** 43)))), 'year outside of range [0,9999]'],
  [
    'a mix of text and number',
    bodyOf({ apiVersion: 'v1', kind: 'Service' }, part(2, part(1, part(4, number(1, 7))))),
    'impossible IntOrString',
  ],
])('%s is refused in the words of the API server', (_, body, message) => {
  expect(refusalOf(body, POD)).toContain(message)
})

test('a body that says nothing of its type is refused where nothing is expected', () => {
  expect(refusalOf(bodyOf(undefined))).toContain(`Object 'Kind' is missing in 'runtime.TypeMeta{APIVersion:"", Kind:""}'`)
  expect(refusalOf(bodyOf({ apiVersion: '', kind: 'Pod' }))).toContain("Object 'apiVersion' is missing in")
})

test('numbers that JSON cannot show are refused', () => {
  const maximum = (value: number) => {
    const bytes = Buffer.alloc(9)
    bytes[0] = 9 * 8 + 1
    bytes.writeDoubleLE(value, 1)
    return bodyOf(CRD, part(2, part(7, part(4, part(1, bytes)))))
  }
  expect(read(maximum(-0.5))).toMatchObject({ spec: { versions: [{ schema: { openAPIV3Schema: { maximum: -0.5 } } }] } })
  expect(refusalOf(maximum(Number.NaN))).toContain('json: unsupported value: NaN')
  expect(refusalOf(maximum(Number.NEGATIVE_INFINITY))).toContain('json: unsupported value: -Inf')
})

/** `depth` schemas in one another, by one of their fields. */
function nested(depth: number, wrap: (inner: Buffer) => Buffer, innermost = part(5, 'string')): Buffer {
  let schema = innermost
  for (let level = 0; level < depth; level++) schema = wrap(schema)
  return bodyOf(CRD, part(2, part(7, part(4, part(1, schema)))))
}

test.each([
  ['not', (inner: Buffer) => part(28, inner)],
  ['allOf', (inner: Buffer) => part(25, inner)],
  ['additionalProperties', (inner: Buffer) => part(30, part(2, inner))],
  ['items', (inner: Buffer) => part(24, part(2, inner))],
  ['properties', (inner: Buffer) => part(29, part(1, 'a'), part(2, inner))],
  ['dependencies', (inner: Buffer) => part(32, part(1, 'a'), part(2, part(1, inner)))],
])('schemas may stand deep in one another, but not endlessly (%s)', (_, wrap) => {
  expect(read(nested(200, wrap))).toMatchObject({ kind: 'CustomResourceDefinition' })
  expect(refusalOf(nested(3000, wrap))).toContain('exceeded max depth')
})

test('what is written as JSON counts for the depth', () => {
  const preset = (json: string, depth: number) => nested(depth, (inner) => part(28, inner), part(8, part(1, json)))
  const deep = `${'['.repeat(900)}${']'.repeat(900)}`
  expect(read(preset(deep, 50))).toMatchObject({ kind: 'CustomResourceDefinition' })
  expect(refusalOf(preset(deep, 200))).toContain('exceeded max depth')
  expect(refusalOf(preset('['.repeat(1001), 0))).toContain('exceeded max depth')
  expect(refusalOf(preset('{"a":', 0))).toContain('json parse error')
})

test('a List in a List in a List … is refused before it gets out of hand', () => {
  const type = { apiVersion: 'v1', kind: 'List' }
  let body = bodyOf(type)
  for (let level = 0; level < 2000; level++) body = bodyOf(type, part(2, part(1, body)))
  expect(refusalOf(body)).toContain('exceeded max depth')
})

test('every cut of a body is either read or refused with 400', () => {
  const { body } = fixture('apps-v1.Deployment.kubectl-33')
  const cuts = body.map((_, length) => {
    try {
      return decodeProtobuf(body.subarray(0, length), undefined) ? 1 : 0
    } catch (error) {
      expect(error).toMatchObject({ code: 400, reason: 'BadRequest' })
      return 0
    }
  })
  // A cut between two fields of the envelope leaves a body that has only lost something.
  expect(cuts.filter((one) => one === 1).length).toBeLessThan(5)
})
