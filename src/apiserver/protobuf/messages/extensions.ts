/**
 * Webhooks and custom resource definitions. In the notation of ../notation.ts.
 *
 * @see k8s.io/api/admissionregistration/v1 generated.proto and types.go, as of Kubernetes v1.37
 * @see k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1 generated.proto and types.go, as of Kubernetes v1.37
 */
export const EXTENSIONS = `
package admissionregistration: admissionregistration.k8s.io/v1
kind MutatingWebhookConfiguration: metadata 1 meta.ObjectMeta, webhooks 2 MutatingWebhook[]
MutatingWebhook: name! 1, clientConfig 2 WebhookClientConfig, rules 3 RuleWithOperations[], failurePolicy! 4, matchPolicy! 9,
  namespaceSelector! 5 meta.LabelSelector, objectSelector! 11 meta.LabelSelector, sideEffects! 6, timeoutSeconds! 7 int32,
  admissionReviewVersions 8 string[], reinvocationPolicy! 10, matchConditions 12 MatchCondition[]
WebhookClientConfig: url! 3, service! 1 ServiceReference, caBundle 2 bytes
ServiceReference: namespace! 1, name! 2, path! 3, port! 4 int32
RuleWithOperations: operations 1 string[], ... 2 Rule
Rule: apiGroups 1 string[], apiVersions 2 string[], resources 3 string[], scope! 4
MatchCondition: name! 1, expression! 2
kind ValidatingWebhookConfiguration: metadata 1 meta.ObjectMeta, webhooks 2 ValidatingWebhook[]
ValidatingWebhook: name! 1, clientConfig 2 WebhookClientConfig, rules 3 RuleWithOperations[], failurePolicy! 4, matchPolicy! 9,
  namespaceSelector! 5 meta.LabelSelector, objectSelector! 10 meta.LabelSelector, sideEffects! 6, timeoutSeconds! 7 int32,
  admissionReviewVersions 8 string[], matchConditions 11 MatchCondition[]
package apiextensions: apiextensions.k8s.io/v1
kind CustomResourceDefinition: metadata 1 meta.ObjectMeta, spec 2 CustomResourceDefinitionSpec, status 3 CustomResourceDefinitionStatus
CustomResourceDefinitionSpec: group! 1, names 3 CustomResourceDefinitionNames, scope! 4, versions 7 CustomResourceDefinitionVersion[],
  conversion! 9 CustomResourceConversion, preserveUnknownFields 10 bool
CustomResourceDefinitionNames: plural! 1, singular 2, shortNames 3 string[], kind! 4, listKind 5, categories 6 string[]
CustomResourceDefinitionVersion: name! 1, served! 2 bool, storage! 3 bool, deprecated 7 bool, deprecationWarning! 8,
  schema! 4 CustomResourceValidation, subresources! 5 CustomResourceSubresources,
  additionalPrinterColumns 6 CustomResourceColumnDefinition[], selectableFields 9 SelectableField[]
CustomResourceValidation: openAPIV3Schema! 1 JSONSchemaProps
JSONSchemaProps: id 1, $schema 2, $ref! 3, description 4, type 5, format 6, title 7, default! 8 json, maximum! 9 double,
  exclusiveMaximum 10 bool, minimum! 11 double, exclusiveMinimum 12 bool, maxLength! 13 int64, minLength! 14 int64, pattern 15,
  maxItems! 16 int64, minItems! 17 int64, uniqueItems 18 bool, multipleOf! 19 double, enum 20 json[], maxProperties! 21 int64,
  minProperties! 22 int64, required 23 string[], items! 24 JSONSchemaPropsOrArray, allOf 25 JSONSchemaProps[], oneOf 26 JSONSchemaProps[],
  anyOf 27 JSONSchemaProps[], not! 28 JSONSchemaProps, properties 29 map<JSONSchemaProps>, additionalProperties! 30 JSONSchemaPropsOrBool,
  patternProperties 31 map<JSONSchemaProps>, dependencies 32 map<JSONSchemaPropsOrStringArray>, additionalItems! 33 JSONSchemaPropsOrBool,
  definitions 34 map<JSONSchemaProps>, externalDocs! 35 ExternalDocumentation, example! 36 json, nullable 37 bool,
  x-kubernetes-preserve-unknown-fields! 38 bool, x-kubernetes-embedded-resource 39 bool, x-kubernetes-int-or-string 40 bool,
  x-kubernetes-list-map-keys 41 string[], x-kubernetes-list-type! 42, x-kubernetes-map-type! 43,
  x-kubernetes-validations 44 ValidationRule[]
JSONSchemaPropsOrArray: either 1 JSONSchemaProps or 2 JSONSchemaProps[]
JSONSchemaPropsOrBool: either 1 bool or 2 JSONSchemaProps
JSONSchemaPropsOrStringArray: either 1 JSONSchemaProps or 2 string[]
ExternalDocumentation: description 1, url 2
ValidationRule: rule! 1, message 2, messageExpression 3, reason! 4, fieldPath 5, optionalOldSelf! 6 bool
CustomResourceSubresources: status! 1 CustomResourceSubresourceStatus, scale! 2 CustomResourceSubresourceScale
CustomResourceSubresourceStatus:
CustomResourceSubresourceScale: specReplicasPath! 1, statusReplicasPath! 2, labelSelectorPath! 3
CustomResourceColumnDefinition: name! 1, type! 2, format 3, description 4, priority 5 int32, jsonPath! 6
SelectableField: jsonPath! 1
CustomResourceConversion: strategy! 1, webhook! 2 WebhookConversion
WebhookConversion: clientConfig! 2 WebhookClientConfig, conversionReviewVersions 3 string[]
WebhookClientConfig: url! 3, service! 1 ServiceReference, caBundle 2 bytes
ServiceReference: namespace! 1, name! 2, path! 3, port! 4 int32
CustomResourceDefinitionStatus: conditions 1 CustomResourceDefinitionCondition[], acceptedNames 2 CustomResourceDefinitionNames,
  storedVersions 3 string[], observedGeneration 4 int64
CustomResourceDefinitionCondition: type! 1, status! 2, lastTransitionTime 3 time, reason 4, message 5, observedGeneration 6 int64
`
