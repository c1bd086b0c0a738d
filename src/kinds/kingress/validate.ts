import { also, type FieldError, fieldError, findings, viaField } from '../../apimachinery/field-error.js'
import type { IngressPath, IngressSplit, KIngress } from './schema.js'

/** @see knative/networking pkg/apis/networking/v1alpha1/ingress_validation.go */
export function validateKIngress({ metadata, spec }: KIngress): FieldError | undefined {
  const rules = spec?.rules ?? []
  return viaField(
    'spec',
    also(
      rules.length === 0 ? findings.missingField('rules') : undefined,
      ...rules.map((rule, index) =>
        viaField(
          `rules[${index}]`,
          also(
            (rule.hosts ?? []).length === 0 ? findings.missingField('hosts') : undefined,
            rule.http
              ? viaField(
                  'http',
                  also(
                    (rule.http.paths ?? []).length === 0 ? findings.missingField('paths') : undefined,
                    ...(rule.http.paths ?? []).map((path, at) => viaField(`paths[${at}]`, validatePath(path, metadata.namespace))),
                  ),
                )
              : findings.missingField('http'),
          ),
        ),
      ),
      ...(spec?.tls ?? []).map((tls, index) =>
        viaField(
          `tls[${index}]`,
          also(
            (tls.hosts ?? []).length === 0 ? findings.missingField('hosts') : undefined,
            tls.secretName ? undefined : findings.missingField('secretName'),
            tls.secretNamespace ? undefined : findings.missingField('secretNamespace'),
          ),
        ),
      ),
    ),
  )
}

function validatePath({ splits = [] }: IngressPath, namespace: string | undefined): FieldError | undefined {
  if (splits.length === 0) return findings.missingField('splits')
  const total = splits.reduce((sum, { percent }) => sum + (percent ?? (splits.length === 1 ? 100 : 0)), 0)
  return also(
    ...splits.map((split, index) => viaField(`splits[${index}]`, validateSplit(split, namespace))),
    total === 100 ? undefined : fieldError(`traffic split percentage must total to 100, but was ${total}`, 'splits'),
  )
}

function validateSplit(split: IngressSplit, namespace: string | undefined): FieldError | undefined {
  const { serviceName, serviceNamespace, servicePort, percent } = split
  return also(
    serviceNamespace
      ? serviceNamespace === namespace
        ? undefined
        : fieldError('service namespace must match ingress namespace', 'serviceNamespace')
      : findings.missingField('serviceNamespace'),
    serviceName ? undefined : findings.missingField('serviceName'),
    servicePort ? undefined : findings.missingField('servicePort'),
    percent !== undefined && (percent < 0 || percent > 100) ? findings.invalidValue(percent, 'percent') : undefined,
  )
}
