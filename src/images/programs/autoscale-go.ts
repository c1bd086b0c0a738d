/** @see knative/docs docs/serving/autoscaling/autoscale-go */
import type { ServerResponse } from 'node:http'
import { createSystemClock } from '../../base/clock.js'
import { answerText, serve } from '../program.js'

const clock = createSystemClock()

serve((request, response) => {
  const query = new URLSearchParams(request.url!.split('?')[1] ?? '')
  const asked: Record<'sleep' | 'prime' | 'bloat', number> = { sleep: 0, prime: 0, bloat: 0 }
  for (const name of ['sleep', 'prime', 'bloat'] as const) {
    const text = query.get(name) || '0'
    if (!/^[+-]?\d+$/.test(text)) return answerText(response, `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax\n`, 400)
    asked[name] = Number(text)
  }
  use(asked, response)
})

function use({ sleep, prime, bloat }: { sleep: number; prime: number; bloat: number }, response: ServerResponse): void {
  const startedMs = performance.now()
  response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' })
  const finish = (): void => {
    // Node's timers may be early by a part of a millisecond; Go's never are.
    if (performance.now() - startedMs < sleep) return void clock.after(1, finish)
    if (sleep !== 0) response.write(`Slept for ${(performance.now() - startedMs).toFixed(2)} milliseconds.\n`)
    response.end()
  }
  // The original does all three at once; here the timer runs while the other two use the only thread.
  if (sleep !== 0) clock.after(sleep, finish)
  try {
    if (bloat !== 0) response.write(allocate(bloat))
    if (prime !== 0) response.write(largestPrime(prime))
  } catch {
    // The original panics for a negative or absurd size, whereupon Go's server closes the connection.
    response.destroy()
    return
  }
  if (sleep === 0) finish()
}

function allocate(megabytes: number): string {
  const memory = new Uint8Array(megabytes * 1024 * 1024)
  memory[0] = 1
  memory[memory.length - 1] = 1
  return `Allocated ${megabytes} Mb of memory.\n`
}

/** A sieve over all numbers, since using processor and memory is what it is for. The original's last candidate is `below` - 2. */
function largestPrime(below: number): string {
  const composite = new Uint8Array(below)
  for (let factor = 2; factor * factor < below; factor++) {
    if (composite[factor]) continue
    for (let multiple = factor * factor; multiple < below; multiple += factor) composite[multiple] = 1
  }
  for (let candidate = below - 2; candidate >= 2; candidate--) {
    if (!composite[candidate]) return `The largest prime less than ${below} is ${candidate}.\n`
  }
  return `There are no primes smaller than ${below}.\n`
}
