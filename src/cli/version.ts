/** The constants of "which version": shown by `kn version`; the emulator reports the same ones on /version. */

declare const __VERSION__: string | undefined

/** This program's own version; `dev` when it runs from its sources. */
export const VERSION = typeof __VERSION__ === 'string' ? __VERSION__ : 'dev'

/** Versions of Knative whose behaviour and APIs this program has. */
export const KNATIVE_SERVING = 'v1.23.0'
export const KNATIVE_EVENTING = 'v1.22.0'

const SUPPORTED_APIS = {
  serving: [`serving.knative.dev/v1 (knative-serving ${KNATIVE_SERVING})`],
  eventing: [
    `sources.knative.dev/v1 (knative-eventing ${KNATIVE_EVENTING})`,
    `eventing.knative.dev/v1 (knative-eventing ${KNATIVE_EVENTING})`,
  ],
}

/** What `kn version` prints. Builds are reproducible, so there is no date in them. */
export function versionText(): string {
  return `Version:      v${VERSION}
Build Date:   unknown
Git Revision: unknown
Supported APIs:
* Serving
${SUPPORTED_APIS.serving.map((api) => `  - ${api}\n`).join('')}* Eventing
${SUPPORTED_APIS.eventing.map((api) => `  - ${api}\n`).join('')}`
}

/** The same for `-o json` and `-o yaml`. */
export function versionInfo(): object {
  return { Version: `v${VERSION}`, BuildDate: 'unknown', GitRevision: 'unknown', SupportedAPIs: SUPPORTED_APIS }
}
