import type { Route } from '../../kinds/route/schema.js'
import { conditionLines } from '../print/conditions.js'
import { attribute, block, type DescribeOptions, metadataRows, type Rows } from '../print/describe.js'

/** `kn route describe`, for people. */
export function routeText(route: Route, options: DescribeOptions): string {
  const owner = route.metadata.ownerReferences?.find(({ controller }) => controller) ?? route.metadata.ownerReferences?.[0]
  const head: Rows = [
    ...metadataRows(route.metadata, options),
    attribute('URL', route.status?.url ?? ''),
    ...(owner ? [attribute('Service', options.verbose ? `${owner.name} (${owner.apiVersion})` : owner.name)] : []),
  ]
  const targets = (route.status?.traffic ?? []).flatMap(({ percent = 0, latestRevision, revisionName = '', tag, url }): Rows => {
    const name = latestRevision ? `@latest (${revisionName})` : revisionName
    const row = [`  ${String(percent).padStart(3)}%`, tag ? `${name} #${tag}` : name]
    return tag && url ? [row, ['', ...attribute('URL', url)]] : [row]
  })
  const conditions = conditionLines(route.status?.conditions, options)
  return `${block(head)}\n${block([attribute('Traffic Targets', '')])}${block(targets)}\n${conditions.join('\n')}\n`
}
