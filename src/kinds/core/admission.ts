import type { AdmissionPlugin } from '../../apimachinery/admission-plugin.js'
import { knativeConfigs } from '../knative-config/admission.js'
import { limitRanger } from './limitrange/admission.js'
import { priorities } from './priorityclass/admission.js'
import { resourceQuotas } from './resourcequota/admission.js'
import { serviceAccounts } from './serviceaccount/admission.js'

/** Rules that objects of one kind impose on others, in kube-apiserver's order; what counts comes last. */
export const admissionPlugins: readonly AdmissionPlugin[] = [limitRanger, serviceAccounts, priorities, knativeConfigs, resourceQuotas]
