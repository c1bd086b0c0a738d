declare const __VERSION__: string | undefined
declare const __BUILD_DATE__: string | undefined
declare const __REVISION__: string | undefined

/** This program's own version; the build puts it in, a run from the sources has none. */
export const PROGRAM_VERSION = typeof __VERSION__ === 'string' ? __VERSION__ : '0.0.0-dev'

/** When the commit that was built was made, as kn prints it (2026-01-31 12:00:00, UTC), so that equal sources give equal builds. */
export const BUILD_DATE = typeof __BUILD_DATE__ === 'string' ? __BUILD_DATE__ : 'unknown'

export const GIT_REVISION = typeof __REVISION__ === 'string' ? __REVISION__ : 'unknown'

/** The releases whose behaviour and API versions the emulator has, and whose commands `kn` has. */
export const KNATIVE_SERVING_VERSION = 'v1.23.0'
export const KNATIVE_EVENTING_VERSION = 'v1.22.0'

/** What /version answers: Knative's own controllers refuse less than 1.34. */
export const KUBERNETES_VERSION = { major: '1', minor: '35', gitVersion: 'v1.35.0' } as const
