import { goQuote } from './arguments.js'

/**
 * What Go says when a text is no URL, `parse "http://a:b": invalid port ":b" after host`; undefined when it is one. The mistakes that people
 * make are told; nearly every text is a URL to Go.
 *
 * @see Go net/url url.go, Parse
 */
export function goUrlProblem(text: string): string | undefined {
  const problem = problemOf(text)
  return problem && `parse ${goQuote(text)}: ${problem}`
}

function problemOf(text: string): string | undefined {
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'net/url: invalid control character in URL'
  if (text.startsWith(':')) return 'missing protocol scheme'
  const scheme = /^[a-zA-Z][a-zA-Z\d+.-]*:/.exec(text)?.[0] ?? ''
  const [beforeFragment = '', ...fragments] = text.slice(scheme.length).split('#')
  const [path = ''] = beforeFragment.split('?')
  if (scheme === '' && !path.startsWith('/') && path.split('/')[0]!.includes(':')) return 'first path segment in URL cannot contain colon'
  const authority = path.startsWith('//') ? path.slice(2).split('/')[0]! : ''
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  const hostProblem = problemOfHost(host)
  if (hostProblem) return hostProblem
  const wrongEscape = badEscape(path.slice(authority === '' ? 0 : authority.length + 2)) ?? badEscape(fragments.join('#'))
  return wrongEscape && `invalid URL escape ${goQuote(wrongEscape)}`
}

function problemOfHost(host: string): string | undefined {
  if (host.startsWith('[')) {
    const end = host.lastIndexOf(']')
    return end < 0 ? "missing ']' in host" : portProblem(host.slice(end + 1))
  }
  const colon = host.lastIndexOf(':')
  const wrongPort = colon < 0 ? undefined : portProblem(host.slice(colon))
  if (wrongPort) return wrongPort
  const wrongEscape = badEscape(host)
  if (wrongEscape) return `invalid URL escape ${goQuote(wrongEscape)}`
  const sign = /[ \\^`{|}]/.exec(host)?.[0]
  return sign && `invalid character ${goQuote(sign)} in host name`
}

function portProblem(text: string): string | undefined {
  return text === '' || /^:\d*$/.test(text) ? undefined : `invalid port ${goQuote(text)} after host`
}

function badEscape(text: string): string | undefined {
  return /%(?![\da-fA-F]{2}).{0,2}/.exec(text)?.[0]
}
