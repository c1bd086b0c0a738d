import type { PluginManifest } from '../manifest.js'

export const image: PluginManifest = {
  noun: 'image',
  aliases: ['images'],
  summary: 'Manage the images that local workloads run',
  lacks: 'kn itself knows images only as references that a cluster pulls from a registry.',
  commands: { list: { aliases: ['ls'], load: () => import('./list.js') } },
}
