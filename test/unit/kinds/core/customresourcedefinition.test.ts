import { expect, test } from 'vitest'
import type { Schema } from '../../../../src/apimachinery/schema.js'
import { ownDefinitions } from '../../../../src/kinds/core/customresourcedefinition/own.js'
import { OWN_DEFINITION_WRITER } from '../../../../src/kinds/core/customresourcedefinition/schema.js'
import { servedKinds } from '../../../../src/kinds/index.js'
import { aDefinedWorld, aDefinition, aVersion, DEFINITIONS_PATH } from '../../apiserver/crd/support.js'

const at = 'spec.versions[0].schema.openAPIV3Schema'
const text: Schema = { type: 'string' }

async function findings(definition: object): Promise<string[]> {
  const { refusal } = await aDefinedWorld()
  const { status } = await refusal({ verb: 'create', ...DEFINITIONS_PATH, object: definition })
  return (status.details?.causes ?? []).map(({ field, message }) => `${field}: ${message}`)
}
const ofSchema = (schema: unknown): Promise<string[]> => findings(aDefinition({ versions: [aVersion(schema as Schema)] }))
const ofSpec = (spec: unknown): Promise<string[]> => ofSchema({ type: 'object', properties: { spec } })

test.each<[what: string, schema: unknown, finding: string]>([
  ['no type at the root', {}, `${at}.type: Required value: must not be empty at the root`],
  ['another root than an object', { type: 'string' }, `${at}.type: Invalid value: "string": must be object at the root`],
  [
    'a field without a type',
    { type: 'object', properties: { a: {} } },
    `${at}.properties[a].type: Required value: must not be empty for specified object fields`,
  ],
  [
    'items without a type',
    { type: 'object', properties: { a: { type: 'array', items: {} } } },
    `${at}.properties[a].items.type: Required value: must not be empty for specified array items`,
  ],
  [
    'a reference',
    { type: 'object', properties: { a: { type: 'string', $ref: '#/x' } } },
    `${at}.properties[a].$ref: Forbidden: $ref is not supported`,
  ],
  [
    'unique items',
    { type: 'object', properties: { a: { type: 'array', items: text, uniqueItems: true } } },
    `${at}.properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
  ],
  [
    'additionalProperties: false',
    { type: 'object', additionalProperties: false },
    `${at}.additionalProperties: Forbidden: additionalProperties cannot be set to false`,
  ],
  [
    'properties beside additionalProperties',
    { type: 'object', properties: { a: text }, additionalProperties: text },
    `${at}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`,
  ],
  [
    'a type below anyOf',
    { type: 'object', properties: { a: { type: 'string', anyOf: [{ type: 'string' }] } } },
    `${at}.properties[a].anyOf[0].type: Forbidden: must be empty to be structural`,
  ],
  [
    'a field that only an alternative knows',
    { type: 'object', anyOf: [{ properties: { a: { minLength: 1 } } }] },
    `${at}.properties[a]: Required value: because it is defined in ${at}.anyOf[0].properties[a]`,
  ],
  [
    'rules about metadata',
    { type: 'object', properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } } },
    `${at}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
  ],
  [
    'a default of the wrong type',
    { type: 'object', properties: { a: { type: 'integer', default: 'x' } } },
    `${at}.properties[a].default: Invalid value: "string": default in body must be of type integer: "string"`,
  ],
  [
    'a pattern that is none',
    { type: 'object', properties: { a: { type: 'string', pattern: '[' } } },
    `${at}.properties[a].pattern: Invalid value: "[": must be a valid regular expression, but isn't: Invalid regular expression: /[/: Unterminated character class`,
  ],
  [
    'a list by a key that need not be there',
    {
      type: 'object',
      properties: {
        a: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['k'],
          items: { type: 'object', properties: { k: text } },
        },
      },
    },
    `${at}.properties[a].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
  ],
  [
    'an embedded object without fields',
    { type: 'object', properties: { a: { type: 'object', 'x-kubernetes-embedded-resource': true } } },
    `${at}.properties[a].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields`,
  ],
])('a schema with %s is not structural', async (_, schema, finding) => {
  expect(await ofSchema(schema)).toEqual([finding])
})

test('int-or-string may be spelled out as alternatives', async () => {
  const { define } = await aDefinedWorld()
  const port: Schema = { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }], pattern: '^x$' }
  const made = await define(aDefinition({ versions: [aVersion({ type: 'object', properties: { port } })] }))
  expect(made.status?.conditions).toHaveLength(2)
})

test('names, group, scope and versions are checked', async () => {
  expect(
    await findings({
      metadata: { name: 'x' },
      spec: { group: 'nodot', names: { plural: 'Xs', kind: 'X' }, scope: 'Global', versions: [] },
    }),
  ).toEqual([
    'metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group',
    'spec.group: Invalid value: "nodot": should be a domain with at least one dot',
    'spec.scope: Unsupported value: "Global": supported values: "Cluster", "Namespaced"',
    expect.stringMatching(/^spec.names.plural: Invalid value: "Xs": a DNS-1035 label must/),
    'spec.versions: Invalid value: []: must have exactly one version marked as storage version',
  ])
  const open: Schema = { type: 'object' }
  expect(await findings(aDefinition({ versions: [aVersion(open), aVersion(open)] }))).toEqual([
    'spec.versions: Invalid value: ["v1","v1"]: must contain unique version names',
    'spec.versions: Invalid value: ["v1","v1"]: must have exactly one version marked as storage version',
  ])
  expect(await findings(aDefinition({ versions: [{ name: 'v1', served: true, storage: true }] }))).toEqual([
    `${at}: Required value: schemas are required`,
  ])
})

test('columns, subresources, selectable fields and conversion are checked', async () => {
  const versions = [
    aVersion(
      { type: 'object', properties: { spec: { type: 'object', properties: { list: { type: 'array', items: text } } } } },
      {
        additionalPrinterColumns: [{ name: 'A', type: 'text' as never, jsonPath: 'spec' }],
        subresources: { scale: { specReplicasPath: '.status.n', statusReplicasPath: '.status.n' } },
        selectableFields: [{ jsonPath: '.spec.list' }],
      },
    ),
  ]
  const conversion = { strategy: 'Webhook', webhook: { clientConfig: { url: 'http://x/y' }, conversionReviewVersions: ['v0'] } }
  expect(await findings(aDefinition({ versions, more: { conversion } }))).toEqual([
    'spec.versions[0].subresources.scale.specReplicasPath: Invalid value: ".status.n": should be a json path under .spec',
    'spec.versions[0].additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
    'spec.versions[0].additionalPrinterColumns[0].jsonPath: Invalid value: "spec": must be a simple json path starting with .',
    'spec.versions[0].selectableFields[0].jsonPath: Invalid value: ".spec.list": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
    'spec.conversion.webhook.clientConfig.url: Invalid value: "http": \'https\' is the only allowed URL scheme; desired format: https://host[:port]/path',
    'spec.conversion.webhook.conversionReviewVersions: Invalid value: ["v0"]: must include at least one of v1',
  ])
})

test('a group of Kubernetes itself needs a word about its review', async () => {
  const definition = { ...aDefinition(), metadata: { name: 'gadgets.stuff.k8s.io' } } as { metadata: object; spec: { group: string } }
  definition.spec.group = 'stuff.k8s.io'
  expect(await findings(definition)).toEqual([
    'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
  ])
})

test('rules that cannot hold are refused where they stand', async () => {
  const rules = (...list: object[]): object => ({ type: 'object', properties: { a: text }, 'x-kubernetes-validations': list })
  expect(await ofSpec(rules({ rule: 'self.b == 1' }))).toEqual([
    expect.stringContaining(
      `${at}.properties[spec].x-kubernetes-validations[0].rule: Invalid value: {"rule":"self.b == 1"}: compilation failed: ERROR: <input>:1:5: undefined field 'b'`,
    ),
  ])
  expect(await ofSpec(rules({ rule: ' ' }, { rule: 'true', reason: 'No', fieldPath: '.b', message: 'a\nb' }))).toEqual([
    `${at}.properties[spec].x-kubernetes-validations[0].rule: Required value: rule is not specified`,
    `${at}.properties[spec].x-kubernetes-validations[1].message: Invalid value: "a\\nb": message must not contain line breaks`,
    `${at}.properties[spec].x-kubernetes-validations[1].reason: Unsupported value: "No": supported values: "FieldValueRequired", "FieldValueForbidden", "FieldValueInvalid", "FieldValueDuplicate"`,
    `${at}.properties[spec].x-kubernetes-validations[1].fieldPath: Invalid value: ".b": fieldPath must be a valid path: does not refer to a valid field`,
  ])
  const list = { type: 'array', items: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] } }
  expect(await ofSpec(list)).toEqual([
    `${at}.properties[spec].items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within ${at}.properties[spec]`,
  ])
})

test('a rule that calls what is not evaluated is stored, and its author is told', async () => {
  const { warningsOf } = await aDefinedWorld()
  const spec: Schema = { type: 'string', 'x-kubernetes-validations': [{ rule: 'url(self).getScheme() == "https"' }] }
  const object = aDefinition({ versions: [aVersion({ type: 'object', properties: { spec } })] })
  expect(await warningsOf({ verb: 'create', ...DEFINITIONS_PATH, object })).toEqual([
    `${at}.properties[spec].x-kubernetes-validations[0].rule: this rule is stored and not evaluated, since this server does not know getScheme(), url()`,
  ])
})

test('scope and kind stay what they are once a definition is established', async () => {
  const { define, refusal } = await aDefinedWorld()
  const made = await define(aDefinition())
  const object = { ...made, spec: { ...made.spec, scope: 'Cluster', names: { ...made.spec.names, kind: 'Other' } } }
  expect((await refusal({ verb: 'update', ...DEFINITIONS_PATH, name: made.metadata.name, object })).message).toContain(
    '[spec.scope: Invalid value: "Cluster": field is immutable, spec.names.kind: Invalid value: "Other": field is immutable]',
  )
})

test('a version in which objects may still be stored cannot be taken away', async () => {
  const { define, refusal } = await aDefinedWorld()
  const open: Schema = { type: 'object' }
  await define(aDefinition())
  const made = await define(aDefinition({ versions: [aVersion(open, { storage: false }), aVersion(open, { name: 'v2' })] }))
  const object = { ...made, spec: { ...made.spec, versions: [aVersion(open, { name: 'v2' })] } }
  expect((await refusal({ verb: 'update', ...DEFINITIONS_PATH, name: made.metadata.name, object })).message).toContain(
    'status.storedVersions[0]: Invalid value: "v1": must appear in spec.versions',
  )
})

test('unknown fields of a schema are found', async () => {
  const { refusal } = await aDefinedWorld()
  const object = aDefinition({
    versions: [aVersion({ type: 'object', properties: { spec: { type: 'object', proprties: {} } } } as Schema)],
  })
  const refused = await refusal({ verb: 'create', ...DEFINITIONS_PATH, object, options: { fieldValidation: 'Strict' } })
  expect(refused.message).toContain('unknown field "spec.versions[0].schema.openAPIV3Schema.properties.spec.proprties"')
})

test('the definitions of the program’s own kinds carry Knative’s labels, and only their writer may touch them', async () => {
  const definitions = ownDefinitions(servedKinds, { serving: 'v1.23.0', eventing: 'v1.22.0' })
  const service = definitions.find(({ metadata }) => metadata.name === 'services.serving.knative.dev')!
  expect(service.metadata.labels).toEqual({
    'app.kubernetes.io/name': 'knative-serving',
    'app.kubernetes.io/version': '1.23.0',
    'knative.dev/crd-install': 'true',
    'duck.knative.dev/addressable': 'true',
    'duck.knative.dev/podspecable': 'true',
  })
  expect(service.spec).toMatchObject({ scope: 'Namespaced', names: { kind: 'Service', shortNames: ['kservice', 'ksvc'] } })
  expect(definitions.every(({ metadata }) => metadata.name!.endsWith('.knative.dev'))).toBe(true)

  const { call, refusal } = await aDefinedWorld()
  const own = { verb: 'create', ...DEFINITIONS_PATH, object: service } as const
  expect((await refusal(own)).code).toBe(403)
  const made = await call({ ...own, user: { name: OWN_DEFINITION_WRITER, groups: [] } })
  expect(made).toMatchObject({ status: { conditions: [{ reason: 'NoConflicts' }, { type: 'Established', status: 'True' }] } })
  const name = 'services.serving.knative.dev'
  for (const verb of ['delete', 'update'] as const)
    expect((await refusal({ verb, ...DEFINITIONS_PATH, name, object: made })).message).toBe(
      'customresourcedefinitions.apiextensions.k8s.io "services.serving.knative.dev" is forbidden: this kind is served by the program itself; its definition can be read, but not changed or deleted',
    )
})
