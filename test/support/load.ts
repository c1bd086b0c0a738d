import { Agent, request } from 'node:http'

export interface Load {
  answered(): number
  /** Resolves when this body has been answered. */
  answers(body: string): Promise<void>
  /** Ends when what is in flight has been answered. */
  stop(): Promise<{ failures: string[]; answers: Record<string, number> }>
}

/** Asks on and on: half of the askers keep their connections, the others make a new one each time. `slowEvery`: each so manyth is for /slow. */
export function startLoad(url: string, { concurrency, slowEvery }: { concurrency: number; slowEvery?: number }): Load {
  const { port, host } = new URL(url)
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  const failures: string[] = []
  const answers: Record<string, number> = {}
  const waiting: { body: string; resolve: () => void }[] = []
  let count = 0
  let isStopping = false

  const ask = (isKept: boolean): Promise<void> =>
    new Promise((resolve) => {
      const path = slowEvery && ++count % slowEvery === 0 ? '/slow' : '/'
      const failed = (why: string): void => {
        failures.push(why)
        resolve()
      }
      const outgoing = request({ host: '127.0.0.1', port, path, headers: { host }, agent: isKept ? agent : false }, (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (text) => {
          body += text
        })
        response.on('error', (error) => failed(`in the answer: ${error.message}`))
        response.on('end', () => {
          if (response.statusCode !== 200) return failed(`${response.statusCode} ${body}`)
          answers[body] = (answers[body] ?? 0) + 1
          for (const each of waiting.splice(0)) {
            if (each.body === body) each.resolve()
            else waiting.push(each)
          }
          resolve()
        })
      })
      outgoing.on('error', (error) => failed(error.message))
      outgoing.end()
    })
  const asker = async (isKept: boolean): Promise<void> => {
    while (!isStopping) await ask(isKept)
  }
  const askers = Array.from({ length: concurrency }, (_, index) => asker(index % 2 === 0))

  return {
    answered: () => Object.values(answers).reduce((sum, each) => sum + each, 0),
    answers: (body) => (answers[body] ? Promise.resolve() : new Promise((resolve) => waiting.push({ body, resolve }))),
    async stop() {
      isStopping = true
      await Promise.all(askers)
      agent.destroy()
      return { failures, answers }
    },
  }
}
