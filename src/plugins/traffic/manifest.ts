import type { PluginManifest } from '../manifest.js'

export const traffic: PluginManifest = {
  noun: 'traffic',
  summary: 'Show, set and roll back how the traffic of a service is spread',
  lacks: "kn itself sets traffic with 'kn service update --traffic', shows it as a part of other lists, and has no way back.",
  commands: {
    rollback: { load: () => import('./rollback.js') },
    set: { load: () => import('./set.js') },
    show: { load: () => import('./show.js') },
  },
}
