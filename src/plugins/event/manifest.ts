import type { PluginManifest } from '../manifest.js'

export const event: PluginManifest = {
  noun: 'event',
  summary: 'Send events, and see what became of each of them',
  lacks: 'kn itself neither sends events nor knows what became of one: a cluster keeps no record of them. The emulator keeps a journal.',
  commands: {
    build: { load: () => import('./build.js') },
    expect: { load: () => import('./expect.js') },
    export: { load: () => import('./export.js') },
    import: { load: () => import('./import.js') },
    list: { load: () => import('./list.js') },
    replay: { load: () => import('./replay.js') },
    send: { load: () => import('./send.js') },
    show: { load: () => import('./show.js') },
    why: { load: () => import('./why.js') },
  },
}
