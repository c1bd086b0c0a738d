import { expect, test } from 'vitest'
import { parseTemplate } from '../../../src/gateway/log-template.js'

const data = {
  Request: {
    Method: 'GET',
    Header: new Map([
      ['X-B3-Traceid', ['abc']],
      ['Accept', ['text/html', '*/*']],
    ]),
    UserAgent: () => 'curl/8',
    ContentLength: -1,
  },
  Response: { Code: 200, Latency: 0.25 },
  Empty: '',
}
const render = (template: string): string => parseTemplate(template)(data)

test.each([
  ['plain {text} and }} too', 'plain {text} and }} too'],
  ['{{.Request.Method}} {{ .Response.Code }}', 'GET 200'],
  ['{{.Response.Latency}}s', '0.25s'],
  ['{{.Request.UserAgent}} {{js .Request.UserAgent}}', 'curl/8 curl/8'],
  ['{{index .Request.Header "X-B3-Traceid"}}{{index .Request.Header "Ghost"}}', '[abc][]'],
  ['{{index .Request.Header "Accept" 1}} {{.Request.Header.Get "accept"}} {{.Request.Header.Get "ghost"}}', '*/* text/html '],
  ['{{printf "%s=%d %.2f %5s|%-5s|%05d %q %v" "a" 1 2.5 "b" "c" 42 "d" .Response.Code}}', 'a=1 2.50     b|c    |00042 "d" 200'],
  ['{{print "a" 1}} {{len "grün"}} {{"piped" | printf "%s %s" "is"}}', 'a1 5 is piped'],
  ['{{if .Empty}}full{{else if eq .Request.Method "POST"}}post{{else}}neither{{end}}', 'neither'],
  ['{{if and (gt .Response.Code 199) (lt .Response.Code 300)}}fine{{end}}', 'fine'],
  ['a {{- /* said nothing */ -}} b {{- "c" -}}  d', 'abcd'],
  ['{{"}}"}}{{`{{`}}', '}}{{'],
  ['{{html "<a>"}} {{urlquery "a b&c"}} {{not .Empty}} {{or .Empty "x"}}', '&lt;a&gt; a+b%26c true x'],
])('%s', (template, text) => {
  expect(render(template)).toBe(text)
})

test('js escapes what would end a string or a script', () => {
  expect(parseTemplate('{{js .}}')(`a"b'c\\d<e>&f=g\n\u2028ü` as never)).toBe(
    `a\\"b\\'c\\\\d\\u003Ce\\u003E\\u0026f\\u003Dg\\u000A\\u2028ü`,
  )
})

test.each(['{{', '{{.A', '{{"a}}', '{{nonsense}}', '{{range .A}}x{{end}}', '{{if .A}}x', '{{end}}', '{{$x := 1}}', '{{js (}}', '{{}}'])(
  '%s is no template',
  (template) => {
    expect(() => parseTemplate(template)).toThrow()
  },
)

test('a field that is not there, and arguments for what takes none, fail when they are met', () => {
  expect(() => render('{{.Request.Ghost}}')).toThrow("can't evaluate field Ghost")
  expect(() => render('{{.Request.Method "x"}}')).toThrow('not a method')
})
