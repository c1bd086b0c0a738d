import type { Kind } from '../apimachinery/kind.js'
import type { ParityTable } from '../apimachinery/parity.js'
import type { Schema } from '../apimachinery/schema.js'
import { brokerKind } from './broker/kind.js'
import { brokerParity } from './broker/parity.js'
import { brokerSchema } from './broker/schema.js'
import { channelKind } from './channel/kind.js'
import { channelParity } from './channel/parity.js'
import { channelSchema } from './channel/schema.js'
import { configurationKind } from './configuration/kind.js'
import { configurationParity } from './configuration/parity.js'
import { configurationSchema } from './configuration/schema.js'
import { eventPolicyKind } from './eventpolicy/kind.js'
import { eventPolicyParity } from './eventpolicy/parity.js'
import { eventPolicySchema } from './eventpolicy/schema.js'
import { eventTypeKind, eventTypeV1beta1Kind, eventTypeV1beta3Kind } from './eventtype/kind.js'
import { eventTypeParity, eventTypeV1beta3Parity } from './eventtype/parity.js'
import { eventTypeSchema, eventTypeV1beta3Schema } from './eventtype/schema.js'
import { imageKind } from './image/kind.js'
import { imageParity } from './image/parity.js'
import { imageSchema } from './image/schema.js'
import { inMemoryChannelKind } from './inmemorychannel/kind.js'
import { inMemoryChannelParity } from './inmemorychannel/parity.js'
import { inMemoryChannelSchema } from './inmemorychannel/schema.js'
import { kingressKind } from './kingress/kind.js'
import { kingressParity } from './kingress/parity.js'
import { kingressSchema } from './kingress/schema.js'
import { parallelKind } from './parallel/kind.js'
import { parallelParity } from './parallel/parity.js'
import { parallelSchema } from './parallel/schema.js'
import { podAutoscalerKind } from './podautoscaler/kind.js'
import { podAutoscalerParity } from './podautoscaler/parity.js'
import { podAutoscalerSchema } from './podautoscaler/schema.js'
import { requestReplyKind } from './requestreply/kind.js'
import { requestReplyParity } from './requestreply/parity.js'
import { requestReplySchema } from './requestreply/schema.js'
import { revisionKind } from './revision/kind.js'
import { revisionParity } from './revision/parity.js'
import { revisionSchema } from './revision/schema.js'
import { routeKind } from './route/kind.js'
import { routeParity } from './route/parity.js'
import { routeSchema } from './route/schema.js'
import { sequenceKind } from './sequence/kind.js'
import { sequenceParity } from './sequence/parity.js'
import { sequenceSchema } from './sequence/schema.js'
import { serverlessServiceKind } from './serverlessservice/kind.js'
import { serverlessServiceParity } from './serverlessservice/parity.js'
import { serverlessServiceSchema } from './serverlessservice/schema.js'
import { serviceKind } from './service/kind.js'
import { serviceParity } from './service/parity.js'
import { serviceSchema } from './service/schema.js'
import { subscriptionKind } from './subscription/kind.js'
import { subscriptionParity } from './subscription/parity.js'
import { subscriptionSchema } from './subscription/schema.js'
import { triggerKind } from './trigger/kind.js'
import { triggerParity } from './trigger/parity.js'
import { triggerSchema } from './trigger/schema.js'

/** What becomes of the fields of one kind, in one version. */
export interface KindParity {
  readonly kind: Kind
  /** As it is served. */
  readonly schema: Schema
  readonly table: ParityTable
}

/** Every kind of Knative's that is served, with every field of it: `kn emulator parity` prints this. */
export const kindParities: readonly KindParity[] = [
  { kind: serviceKind, schema: serviceSchema, table: serviceParity },
  { kind: configurationKind, schema: configurationSchema, table: configurationParity },
  { kind: revisionKind, schema: revisionSchema, table: revisionParity },
  { kind: routeKind, schema: routeSchema, table: routeParity },
  { kind: podAutoscalerKind, schema: podAutoscalerSchema, table: podAutoscalerParity },
  { kind: serverlessServiceKind, schema: serverlessServiceSchema, table: serverlessServiceParity },
  { kind: kingressKind, schema: kingressSchema, table: kingressParity },
  { kind: imageKind, schema: imageSchema, table: imageParity },
  { kind: brokerKind, schema: brokerSchema, table: brokerParity },
  { kind: triggerKind, schema: triggerSchema, table: triggerParity },
  { kind: eventTypeV1beta3Kind, schema: eventTypeV1beta3Schema, table: eventTypeV1beta3Parity },
  { kind: eventTypeKind, schema: eventTypeSchema, table: eventTypeParity },
  { kind: eventTypeV1beta1Kind, schema: eventTypeSchema, table: eventTypeParity },
  { kind: eventPolicyKind, schema: eventPolicySchema, table: eventPolicyParity },
  { kind: requestReplyKind, schema: requestReplySchema, table: requestReplyParity },
  { kind: channelKind, schema: channelSchema, table: channelParity },
  { kind: inMemoryChannelKind, schema: inMemoryChannelSchema, table: inMemoryChannelParity },
  { kind: subscriptionKind, schema: subscriptionSchema, table: subscriptionParity },
  { kind: sequenceKind, schema: sequenceSchema, table: sequenceParity },
  { kind: parallelKind, schema: parallelSchema, table: parallelParity },
]
