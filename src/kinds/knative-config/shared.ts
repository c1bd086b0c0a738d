import { goDurationText } from '../../base/duration.js'
import { type ConfigData, ConfigError, duration, float, parsed, unsigned } from './parse.js'

/** Configurations that Serving and Eventing read alike. */

const LOCKS = ['leases', 'configmaps', 'endpoints']
const MOST_BUCKETS = 10

/** @see knative.dev/pkg leaderelection/config.go */
export function checkLeaderElection(data: ConfigData): void {
  for (const names of [
    ['leaseDuration', 'lease-duration'],
    ['renewDeadline', 'renew-deadline'],
    ['retryPeriod', 'retry-period'],
  ])
    parsed(data, names, duration, 0)
  const buckets = parsed(data, 'buckets', unsigned, 1)
  if (buckets < 1 || buckets > MOST_BUCKETS) throw new ConfigError(`buckets: value must be between 1 <= ${buckets} <= ${MOST_BUCKETS}`)
  const lock = data['resourceLock'] ?? 'leases'
  if (!LOCKS.includes(lock))
    throw new ConfigError(`resourceLock: invalid value ${JSON.stringify(lock)}: valid values are "leases","configmaps","endpoints"`)
}

const LEVELS = ['debug', 'info', 'warn', 'error', 'dpanic', 'panic', 'fatal']

/** @see knative.dev/pkg logging/config.go */
export function checkLogging(data: ConfigData): void {
  for (const [key, level] of Object.entries(data)) {
    if (!key.startsWith('loglevel.') || key === 'loglevel.' || level === '') continue
    if (!LEVELS.includes(level.toLowerCase())) throw new ConfigError(`invalid logging level: ${level}`)
  }
}

const NEEDS_ENDPOINT = ['grpc', 'http/protobuf']

/** @see knative.dev/pkg observability/metrics/config.go, observability/tracing/config.go, observability/runtime/config.go */
export function checkObservability(data: ConfigData): void {
  for (const prefix of ['', 'request-']) checkMetrics(data, prefix)
  checkTracing(data)
  const profiling = data['runtime-profiling'] ?? 'disabled'
  if (profiling !== 'enabled' && profiling !== 'disabled')
    throw new ConfigError(`unsupported profiling setting ${JSON.stringify(profiling)}`)
  parsed(data, 'runtime-export-interval', duration, 0)
}

function checkMetrics(data: ConfigData, prefix: string): void {
  const protocol = data[`${prefix}metrics-protocol`] ?? 'none'
  const endpoint = data[`${prefix}metrics-endpoint`] ?? ''
  const intervalMs = parsed(data, `${prefix}metrics-export-interval`, duration, 0)
  if (NEEDS_ENDPOINT.includes(protocol)) {
    if (!endpoint) throw new ConfigError(`endpoint should be set when protocol is ${JSON.stringify(protocol)}`)
  } else if (protocol === 'none') {
    if (endpoint) throw new ConfigError(`endpoint should not be set when protocol is ${JSON.stringify(protocol)}`)
  } else if (protocol !== 'prometheus') {
    throw new ConfigError(`unsupported protocol ${JSON.stringify(protocol)}`)
  }
  if (intervalMs < 0) throw new ConfigError(`export interval ${JSON.stringify(goDurationText(intervalMs))} should be greater than zero`)
}

function checkTracing(data: ConfigData): void {
  const protocol = data['tracing-protocol'] ?? 'none'
  const endpoint = data['tracing-endpoint'] ?? ''
  const rate = parsed(data, 'tracing-sampling-rate', float, 0)
  if (NEEDS_ENDPOINT.includes(protocol)) {
    if (!endpoint) throw new ConfigError(`endpoint should be set for protocol ${JSON.stringify(protocol)}`)
  } else if (protocol === 'none' || protocol === 'stdout') {
    if (endpoint) throw new ConfigError("endpoint should not be set when protocol is 'none'")
  } else {
    throw new ConfigError(`unsupported protocol ${JSON.stringify(protocol)}`)
  }
  if (rate < 0) throw new ConfigError(`sampling rate ${rate.toFixed(6)} should be greater or equal to zero`)
  if (rate > 1) throw new ConfigError(`sampling rate ${rate.toFixed(6)} should be less than or equal to one`)
}
