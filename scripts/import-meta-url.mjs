// Stands in for import.meta.url in the CommonJS bundles.
export const __importMetaUrl = `file://${encodeURI(__filename)}`
