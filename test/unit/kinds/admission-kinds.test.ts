import { expect, test } from 'vitest'
import { fieldErrorText } from '../../../src/apimachinery/field-error.js'
import type { KubeObject } from '../../../src/apimachinery/object.js'
import type { Configuration } from '../../../src/kinds/configuration/schema.js'
import { validateConfiguration } from '../../../src/kinds/configuration/validate.js'
import type { Container } from '../../../src/kinds/core/pod/schema.js'
import { validateKIngress } from '../../../src/kinds/kingress/validate.js'
import type { Revision } from '../../../src/kinds/revision/schema.js'
import { validateRevision } from '../../../src/kinds/revision/validate.js'
import type { Route, TrafficTarget } from '../../../src/kinds/route/schema.js'
import { validateRoute } from '../../../src/kinds/route/validate.js'
import { validateServerlessService } from '../../../src/kinds/serverlessservice/validate.js'
import { anAdmission } from '../../support/serving.js'

const aContainer = (container: Partial<Container> = {}): Container => ({ name: '', image: 'example.com/hello', ...container })

test('a Configuration or Route that names a Service needs it as an owner, a Revision its Configuration', () => {
  const labels = { 'serving.knative.dev/service': 'hello', 'serving.knative.dev/configuration': 'hello' }
  const meta = { name: 'hello', namespace: 'default', labels }
  const spec = { containers: [aContainer()] }
  const configuration: Configuration = { apiVersion: '', kind: 'Configuration', metadata: meta, spec: { template: { spec } } }
  const route: Route = { apiVersion: '', kind: 'Route', metadata: meta, spec: { traffic: [{ configurationName: 'hello', percent: 100 }] } }
  const revision: Revision = { apiVersion: '', kind: 'Revision', metadata: meta, spec }
  const text = (error: Parameters<typeof fieldErrorText>[0] | undefined) => error && fieldErrorText(error)
  expect(text(validateConfiguration(configuration, anAdmission<Configuration>()))).toBe(
    'missing field(s): metadata.labels.serving.knative.dev/service',
  )
  expect(text(validateRoute(route, anAdmission<Route>()))).toBe('missing field(s): metadata.labels.serving.knative.dev/service')
  expect(text(validateRevision(revision, anAdmission<Revision>()))).toBe(
    'missing field(s): metadata.labels.serving.knative.dev/configuration',
  )
})

test('a Route of its own needs exactly one target name per entry, and a Revision never changes', () => {
  const aRoute = (traffic: TrafficTarget[]): Route => ({
    apiVersion: '',
    kind: 'Route',
    metadata: { name: 'r', namespace: 'default' },
    spec: { traffic },
  })
  const text = (traffic: TrafficTarget[]) => fieldErrorText(validateRoute(aRoute(traffic), anAdmission<Route>())!)
  expect(text([{ percent: 100 }])).toBe(
    'expected exactly one, got neither: spec.traffic[0].configurationName, spec.traffic[0].revisionName',
  )
  expect(text([{ configurationName: 'a', revisionName: 'b', percent: 100 }])).toBe(
    'expected exactly one, got both: spec.traffic[0].configurationName, spec.traffic[0].revisionName',
  )
  expect(text([])).toBe('Traffic targets sum to 0, want 100: spec.traffic')

  const old: Revision = {
    apiVersion: '',
    kind: 'Revision',
    metadata: { name: 'r', namespace: 'default' },
    spec: { containers: [aContainer()] },
  }
  const changed = { ...old, spec: { containers: [aContainer({ image: 'example.com/other' })] } }
  expect(fieldErrorText(validateRevision(changed, anAdmission<Revision>({ old }))!)).toBe(
    'Immutable fields changed (-old +new): spec\n{v1.RevisionSpec}.containers[0].image:\n\t-: "example.com/hello"\n\t+: "example.com/other"\n',
  )
})

test('a KIngress needs rules whose splits total 100 within its namespace, a ServerlessService a mode and a target', () => {
  const split = { serviceName: 's', serviceNamespace: 'other', servicePort: 80, percent: 50 }
  const meta = { apiVersion: '', kind: '', metadata: { name: 'x', namespace: 'default' } } satisfies KubeObject
  expect(fieldErrorText(validateKIngress({ ...meta, spec: { rules: [] } })!)).toBe('missing field(s): spec.rules')
  expect(fieldErrorText(validateKIngress({ ...meta, spec: { rules: [{ hosts: ['a'], http: { paths: [{ splits: [split] }] } }] } })!)).toBe(
    'service namespace must match ingress namespace: spec.rules[0].http.paths[0].splits[0].serviceNamespace\ntraffic split percentage must total to 100, but was 50: spec.rules[0].http.paths[0].splits',
  )
  const broken = {
    ...meta,
    spec: { mode: 'Other', objectRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: '' }, protocolType: 'http1', numActivators: -1 },
  }
  expect(fieldErrorText(validateServerlessService(broken as never)!)).toBe(
    'invalid value: -1: spec.numActivators\ninvalid value: Other: spec.mode\nmissing field(s): spec.objectRef.name',
  )
})
