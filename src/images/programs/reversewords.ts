/** @see mvazquezc/reverse-words v0.0.27 main.go; APP_PORT is not read, since the runtime says the port. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { hostname } from 'node:os'
import { answerText, bodyOf, portFromEnvironment, printAsGo, serve } from '../program.js'

const VERSION = 'v0.0.27'
const release = process.env['RELEASE'] ?? 'NotSet'
const accessed = new Map<string, number>()
let reversedWords = 0

printAsGo(`Starting Reverse Api ${VERSION} Release: ${release}`)
printAsGo(`Listening on port ${portFromEnvironment()}`)
serve((request, response) => {
  const path = request.url!.split('?')[0]!
  const answer = routes[path]?.[request.method!]
  if (answer) return answer(request, response)
  if (!routes[path]) return answerText(response, '404 page not found\n', 404)
  response.writeHead(405, { Allow: Object.keys(routes[path]).join(', '), 'Content-Length': 0 }).end()
})

const routes: Record<string, Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
  '/': {
    GET: (_request, response) => say(response, 'release', `Reverse Words Release: ${release}. App version: ${VERSION}\n`),
    POST: (request, response) => void reverseWord(request, response),
  },
  '/hostname': { GET: (_request, response) => say(response, 'hostname', `Hostname: ${process.env['HOSTNAME'] ?? hostname()}\n`) },
  '/health': { GET: (_request, response) => say(response, 'health', 'Healthy\n') },
  '/metrics': { GET: (_request, response) => answerText(response, metrics()) },
}

function say(response: ServerResponse, endpoint: string, text: string): void {
  answerText(response, text)
  accessed.set(endpoint, (accessed.get(endpoint) ?? 0) + 1)
}

async function reverseWord(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let word: unknown
  try {
    const body = (await bodyOf(request)).toString('utf8')
    word = body.trim() === '' ? '' : ((JSON.parse(body) as { word?: unknown } | null)?.word ?? '')
    if (typeof word !== 'string') throw new TypeError('word is no string')
  } catch {
    // The original panics, whereupon Go's server closes the connection.
    response.destroy()
    return
  }
  if (word === '') printAsGo('No word detected, sending default reverse word')
  else printAsGo(`Detected word ${word}`)
  const reversed = word === '' ? 'detceted drow oN' : [...word].reverse().join('')
  printAsGo(`Reverse word ${reversed}`)
  reversedWords++
  accessed.set('reverseword', (accessed.get('reverseword') ?? 0) + 1)
  // Go escapes these in JSON.
  const json = JSON.stringify({ reverse_word: reversed }).replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`)
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(`${json}\n`)
}

function metrics(): string {
  const endpoints = [...accessed]
    .toSorted()
    .map(([name, count]) => `reversewords_endpoints_accessed_total{accessed_endpoint="${name}"} ${count}\n`)
  return [
    '# HELP reversewords_endpoints_accessed_total Total number of accessed to a given endpoint\n',
    '# TYPE reversewords_endpoints_accessed_total counter\n',
    ...endpoints,
    '# HELP reversewords_reversed_words_total Total number of reversed words\n',
    '# TYPE reversewords_reversed_words_total counter\n',
    `reversewords_reversed_words_total ${reversedWords}\n`,
  ].join('')
}
