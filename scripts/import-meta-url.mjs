// Stands in for import.meta.url in the CommonJS bundles.
import { pathToFileURL } from 'node:url'

export const __importMetaUrl = pathToFileURL(__filename).href
