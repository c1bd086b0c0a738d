/** Counts of what the control listener did, in Prometheus' text format. */
export interface ControlMetrics {
  answered(request: { verb: string; resource: string; code: number }): void
  watchStarted(resource: string): void
  watchEnded(resource: string): void
  text(): string
}

export function createControlMetrics(): ControlMetrics {
  const requests = new Map<string, number>()
  const watches = new Map<string, number>()
  const add = (counts: Map<string, number>, labels: string, by: number): void => void counts.set(labels, (counts.get(labels) ?? 0) + by)
  const lines = (name: string, counts: Map<string, number>): string[] =>
    [...counts].sort(([left], [right]) => (left < right ? -1 : 1)).map(([labels, count]) => `${name}{${labels}} ${count}`)

  return {
    answered: ({ verb, resource, code }) => add(requests, `code="${code}",resource="${resource}",verb="${verb}"`, 1),
    watchStarted: (resource) => add(watches, `resource="${resource}"`, 1),
    watchEnded: (resource) => add(watches, `resource="${resource}"`, -1),
    text: () =>
      [
        '# HELP apiserver_request_total Requests answered, by verb, resource and HTTP response code.',
        '# TYPE apiserver_request_total counter',
        ...lines('apiserver_request_total', requests),
        '# HELP apiserver_registered_watchers Watches that are open now, by resource.',
        '# TYPE apiserver_registered_watchers gauge',
        ...lines('apiserver_registered_watchers', watches),
        '',
      ].join('\n'),
  }
}
