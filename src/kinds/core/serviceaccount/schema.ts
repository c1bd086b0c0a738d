import type { KubeObject } from '../../../apimachinery/object.js'

export interface ServiceAccount extends KubeObject {
  secrets?: { name: string }[]
  imagePullSecrets?: { name: string }[]
  automountServiceAccountToken?: boolean
}
