import type { PluginManifest } from '../manifest.js'

export const quickstart: PluginManifest = {
  noun: 'quickstart',
  summary: 'From nothing to a running service, on this machine',
  lacks: "kn's own quickstart is a separate program that needs kubectl and kind or minikube.",
  commands: { '': { load: () => import('./quickstart.js') } },
}
