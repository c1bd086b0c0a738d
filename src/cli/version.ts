import { BUILD_DATE, GIT_REVISION, KNATIVE_EVENTING_VERSION, KNATIVE_SERVING_VERSION, PROGRAM_VERSION } from '../base/versions.js'

const SUPPORTED_APIS = {
  serving: [`serving.knative.dev/v1 (knative-serving ${KNATIVE_SERVING_VERSION})`],
  eventing: [
    `sources.knative.dev/v1 (knative-eventing ${KNATIVE_EVENTING_VERSION})`,
    `eventing.knative.dev/v1 (knative-eventing ${KNATIVE_EVENTING_VERSION})`,
  ],
}

/** What `kn version` prints. */
export function versionText(): string {
  return `Version:      v${PROGRAM_VERSION}
Build Date:   ${BUILD_DATE}
Git Revision: ${GIT_REVISION}
Supported APIs:
* Serving
${SUPPORTED_APIS.serving.map((api) => `  - ${api}\n`).join('')}* Eventing
${SUPPORTED_APIS.eventing.map((api) => `  - ${api}\n`).join('')}`
}

/** The same for `-o json` and `-o yaml`. */
export function versionInfo(): object {
  return { Version: `v${PROGRAM_VERSION}`, BuildDate: BUILD_DATE, GitRevision: GIT_REVISION, SupportedAPIs: SUPPORTED_APIS }
}
