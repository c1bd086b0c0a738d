import { event } from './event/manifest.js'
import { image } from './image/manifest.js'
import type { PluginManifest } from './manifest.js'
import { quickstart } from './quickstart/manifest.js'
import { traffic } from './traffic/manifest.js'

/** The plugins that come with kn, by noun: what kn itself lacks. */
export const builtInPlugins: readonly PluginManifest[] = [event, image, quickstart, traffic]
