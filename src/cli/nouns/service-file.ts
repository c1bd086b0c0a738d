import type { Service } from '../../kinds/service/schema.js'
import { usageError } from '../arguments.js'
import type { ServiceDraft } from './service.js'

/**
 * The service that a YAML or JSON file describes. The name comes from the command line or the file, and both must agree; the
 * namespace is the command's. Throws a usage error for what is no Knative Service.
 */
export async function serviceFromFile(text: string, name: string | undefined, namespace: string): Promise<ServiceDraft> {
  const { parse } = await import('yaml')
  let read: unknown
  try {
    read = parse(text)
  } catch (error) {
    throw usageError(`error parsing the service file: ${(error as Error).message.split('\n')[0]}`)
  }
  const file = read as Partial<Service> | null
  if (file?.kind !== 'Service' || !file.apiVersion?.startsWith('serving.knative.dev/')) {
    throw usageError('the file does not describe a Service of serving.knative.dev/v1')
  }
  const fileName = file.metadata?.name
  if (name && fileName && name !== fileName) throw usageError(`provided service name '${name}' doesn't match name from file '${fileName}'`)
  const service = name ?? fileName
  if (!service) throw usageError('no service name provided in command parameter or file')
  const template = file.spec?.template ?? { spec: { containers: [] } }
  return {
    metadata: { ...file.metadata, name: service, namespace },
    spec: { ...file.spec, template: { ...template, spec: { ...template.spec, containers: template.spec?.containers ?? [] } } },
  }
}
