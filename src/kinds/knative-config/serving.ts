import { goDurationText } from '../../base/duration.js'
import { renderTemplate } from '../serving-config.js'
import { type ConfigData, ConfigError, duration, flag, float, integer, parsed, quantity } from './parse.js'

/**
 * Serving's configurations as its webhook reads them: each throws a ConfigError for a value that its components could not use.
 * @see knative/serving v1.23 cmd/webhook/main.go, newConfigValidationController
 */

/** The least that can be a target, in requests at a time or per second (pkg/apis/autoscaling/register.go). */
const LEAST_TARGET = 0.01
const SHORTEST_WINDOW_MS = 6_000
const LONGEST_WINDOW_MS = 3_600_000

/** @see knative/serving v1.23 pkg/autoscaler/config/config.go */
export function checkAutoscaler(data: ConfigData): void {
  const read = <T>(key: string, parse: (text: string) => T, fallback: T): T => {
    try {
      return parsed(data, key, parse, fallback)
    } catch (error) {
      if (error instanceof ConfigError) throw new ConfigError(`failed to parse data: ${error.message}`)
      throw error
    }
  }
  const allowZeroInitialScale = read('allow-zero-initial-scale', flag, false)
  const maxScaleUpRate = read('max-scale-up-rate', float, 1000)
  const maxScaleDownRate = read('max-scale-down-rate', float, 2)
  const percentage = read('container-concurrency-target-percentage', float, 0.7)
  const concurrency = read('container-concurrency-target-default', float, 100)
  const rps = read('requests-per-second-target-default', float, 200)
  const burst = read('target-burst-capacity', float, 211)
  const panicWindow = read('panic-window-percentage', float, 10)
  const activatorCapacity = read('activator-capacity', float, 100)
  read('panic-threshold-percentage', float, 200)
  const initialScale = read('initial-scale', integer(32), 1)
  const minScale = read('min-scale', integer(32), 0)
  const maxScale = read('max-scale', integer(32), 0)
  const maxScaleLimit = read('max-scale-limit', integer(32), 0)
  const stableWindowMs = read('stable-window', duration, 60_000)
  const scaleDownDelayMs = read('scale-down-delay', duration, 0)
  const graceMs = read('scale-to-zero-grace-period', duration, 30_000)
  const retentionMs = read('scale-to-zero-pod-retention-period', duration, 0)
  const fraction = percentage > 1 ? percentage / 100 : percentage
  const floor = maxScaleLimit > 0 ? 1 : 0

  if (graceMs <= 0) throw new ConfigError(`scale-to-zero-grace-period must be positive, was: ${goDurationText(graceMs)}`)
  if (scaleDownDelayMs < 0) throw new ConfigError(`scale-down-delay cannot be negative, was: ${goDurationText(scaleDownDelayMs)}`)
  if (scaleDownDelayMs % 1000 !== 0)
    throw new ConfigError(`scale-down-delay = ${goDurationText(scaleDownDelayMs)}, must be specified with at most second precision`)
  if (retentionMs < 0) throw new ConfigError(`scale-to-zero-pod-retention-period cannot be negative, was: ${goDurationText(retentionMs)}`)
  if (burst < 0 && burst !== -1)
    throw new ConfigError(`target-burst-capacity must be either non-negative or -1 (for unlimited), was: ${burst.toFixed(6)}`)
  if (fraction <= 0 || fraction > 1)
    throw new ConfigError(`container-concurrency-target-percentage = ${fraction.toFixed(6)} is outside of valid range of (0, 100]`)
  if (fraction * concurrency < LEAST_TARGET)
    throw new ConfigError(
      `container-concurrency-target-percentage and container-concurrency-target-default yield target concurrency of ${fraction * concurrency}, can't be less than ${LEAST_TARGET}`,
    )
  if (rps < LEAST_TARGET) throw new ConfigError(`requests-per-second-target-default must be at least ${LEAST_TARGET}, was: ${rps}`)
  if (activatorCapacity < 1) throw new ConfigError(`activator-capacity = ${activatorCapacity}, must be at least 1`)
  if (maxScaleUpRate <= 1) throw new ConfigError(`max-scale-up-rate = ${maxScaleUpRate}, must be greater than 1.0`)
  if (maxScaleDownRate <= 1) throw new ConfigError(`max-scale-down-rate = ${maxScaleDownRate}, must be greater than 1.0`)
  if (stableWindowMs < SHORTEST_WINDOW_MS || stableWindowMs > LONGEST_WINDOW_MS)
    throw new ConfigError(
      `stable-window = ${goDurationText(stableWindowMs)}, must be in [${goDurationText(SHORTEST_WINDOW_MS)}; ${goDurationText(LONGEST_WINDOW_MS)}] range`,
    )
  if (stableWindowMs % 1000 !== 0)
    throw new ConfigError(`stable-window = ${goDurationText(stableWindowMs)}, must be specified with at most second precision`)
  if (panicWindow < 1 || panicWindow > 100) throw new ConfigError(`panic-window-percentage = ${panicWindow}, must be in [1, 100] interval`)
  if (initialScale < 0 || (initialScale === 0 && !allowZeroInitialScale))
    throw new ConfigError(`initial-scale = ${initialScale}, must be at least 0 (or at least 1 when allow-zero-initial-scale is false)`)
  if (maxScale < floor || (maxScaleLimit > 0 && maxScale > maxScaleLimit))
    throw new ConfigError(`max-scale = ${maxScale}, must be in [${floor}, max-scale-limit(${maxScaleLimit})] range`)
  if (minScale < 0 || (maxScale > 0 && minScale > maxScale))
    throw new ConfigError(`min-scale = ${minScale}, must be in [0, max-scale(${maxScale})] range`)
  if (maxScaleLimit < 0) throw new ConfigError(`max-scale-limit = ${maxScaleLimit}, must be at least 0`)
}

/** @see knative/serving v1.23 pkg/apis/config/defaults.go */
export function checkDefaults(data: ConfigData): void {
  const int64 = integer(64)
  const timeout = parsed(data, 'revision-timeout-seconds', int64, 300)
  const mostTimeout = parsed(data, 'max-revision-timeout-seconds', int64, 600)
  const idle = parsed(data, 'revision-idle-timeout-seconds', int64, 0)
  const concurrency = parsed(data, 'container-concurrency', int64, 0)
  const mostConcurrency = parsed(data, 'container-concurrency-max-limit', int64, 1000)
  for (const resource of ['cpu', 'memory', 'ephemeral-storage'])
    for (const which of ['request', 'limit']) parsed(data, `revision-${resource}-${which}`, quantity, 0n)
  const responseStart = parsed(data, 'revision-response-start-timeout-seconds', int64, timeout)

  if (timeout > mostTimeout)
    throw new ConfigError(`revision-timeout-seconds (${timeout}) cannot be greater than max-revision-timeout-seconds (${mostTimeout})`)
  if (responseStart > 0 && responseStart > timeout)
    throw new ConfigError(
      `revision-response-start-timeout-seconds (${responseStart}) cannot be greater than revision-timeout-seconds (${timeout})`,
    )
  if (idle > 0 && idle > timeout)
    throw new ConfigError(`revision-idle-timeout-seconds (${idle}) cannot be greater than revision-timeout-seconds (${timeout})`)
  if (mostConcurrency < 1) throw new ConfigError(`expected 1 <= ${mostConcurrency} <= 2147483647: container-concurrency-max-limit`)
  if (concurrency < 0 || concurrency > mostConcurrency)
    throw new ConfigError(`expected 0 <= ${concurrency} <= ${mostConcurrency}: container-concurrency`)
  for (const key of ['container-name-template', 'init-container-name-template'])
    if (Object.hasOwn(data, key))
      checkTemplate(data[key]!, { Name: '', Namespace: '', Labels: {}, Annotations: {} }, 'error executing template: ')
}

function checkTemplate(text: string, fields: Parameters<typeof renderTemplate>[1], prefix = ''): string {
  try {
    return renderTemplate(text, fields)
  } catch (error) {
    throw new ConfigError(`${prefix}${error instanceof Error ? error.message : String(error)}`)
  }
}

/** @see knative/serving v1.23 pkg/deployment/config.go */
export function checkDeployment(data: ConfigData): void {
  const progressDeadlineMs = parsed(data, ['progressDeadline', 'progress-deadline'], duration, 600_000)
  const digestTimeoutMs = parsed(data, ['digestResolutionTimeout', 'digest-resolution-timeout'], duration, 10_000)
  for (const resource of ['cpu', 'memory', 'ephemeral-storage'])
    for (const which of ['request', 'limit']) parsed(data, `queue-sidecar-${resource}-${which}`, quantity, 0n)

  if (!data['queue-sidecar-image'] && !data['queueSidecarImage']) throw new ConfigError('queue-sidecar-image cannot be empty or unset')
  if (progressDeadlineMs <= 0)
    throw new ConfigError(`progress-deadline cannot be a non-positive duration, was ${goDurationText(progressDeadlineMs)}`)
  if (progressDeadlineMs % 1000 !== 0)
    throw new ConfigError(`progress-deadline must be rounded to a whole second, was: ${goDurationText(progressDeadlineMs)}`)
  if (digestTimeoutMs <= 0)
    throw new ConfigError(`digest-resolution-timeout cannot be a non-positive duration, was ${goDurationText(digestTimeoutMs)}`)
}

/** @see knative/serving v1.23 pkg/gc/config.go */
export function checkGc(data: ConfigData): void {
  const read = (key: string, fallback: number, parse: (text: string) => number): number => {
    const text = data[key]
    if (!text) return fallback
    if (text.toLowerCase() === 'disabled') return -1
    try {
      const value = parse(text)
      if (value < 0) throw new ConfigError('must be non-negative')
      return value
    } catch (error) {
      throw error instanceof ConfigError ? new ConfigError(`failed to parse ${key}: ${error.message}`) : error
    }
  }
  read('retain-since-create-time', 48 * 3_600_000, duration)
  read('retain-since-last-active-time', 15 * 3_600_000, duration)
  const least = read('min-non-active-revisions', 20, integer(64))
  const most = read('max-non-active-revisions', 1000, integer(64))
  if (least < 0) throw new ConfigError('failed to parse min-non-active-revisions: must be non-negative')
  if (most >= 0 && least > most) throw new ConfigError(`min-non-active-revisions(${least}) must be <= max-non-active-revisions(${most})`)
}

/** @see knative/networking pkg/config/config.go */
export function checkNetwork(data: ConfigData): void {
  const rolloutSeconds = parsed(data, ['rolloutDuration', 'rollout-duration'], integer(64), 0)
  if (rolloutSeconds < 0) throw new ConfigError(`rollout-duration must be a positive integer, but was ${rolloutSeconds}`)
  const domainTemplate = data['domain-template'] ?? data['domainTemplate']
  if (domainTemplate !== undefined) {
    const fields = { Name: 'foo', Namespace: 'bar', Domain: 'baz.com', Annotations: {}, Labels: {} }
    checkHost(checkTemplate(domainTemplate, fields))
  }
  const tagTemplate = data['tag-template'] ?? data['tagTemplate']
  if (tagTemplate !== undefined) checkTemplate(tagTemplate, { Name: 'foo', Tag: 'v2' })
  const protocol = (data['http-protocol'] ?? data['httpProtocol'] ?? '').toLowerCase()
  if (!['', 'enabled', 'disabled', 'redirected'].includes(protocol))
    throw new ConfigError(`httpProtocol ${data['http-protocol'] ?? ''} in config-network ConfigMap is not supported`)
  for (const key of ['system-internal-tls', 'cluster-local-domain-tls']) {
    if (!['', 'disabled', 'enabled'].includes((data[key] ?? '').toLowerCase()))
      throw new ConfigError(`${key} with value: ${JSON.stringify(data[key])} in config-network ConfigMap is not supported`)
  }
}

function checkHost(host: string): void {
  let url: URL
  try {
    url = new URL(`https://${host}`)
  } catch {
    throw new ConfigError(host === '' ? 'empty hostname' : `parse ${JSON.stringify(`https://${host}`)}: invalid character in host name`)
  }
  const path = url.pathname + url.search
  if (path !== '/') throw new ConfigError(`domain template has url path: ${path}`)
}
