/** The files of the player's page. Nothing on it comes from elsewhere, and a Content-Security-Policy holds it to that. */

export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"

export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>CloudEvents Player</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="player.css">
<script src="player.js" defer></script>
</head>
<body>
<header><h1>CloudEvents Player</h1><p>Sends to <code id="sink"></code></p></header>
<main>
<section aria-labelledby="create">
<h2 id="create">Create event</h2>
<form id="event" novalidate>
<label for="id">Event ID</label>
<div class="row"><input id="id" name="id" autocomplete="off" required>
<button type="button" id="generate" title="Make a new ID" aria-label="Make a new ID">&#x21bb;</button></div>
<p class="problem" id="id-problem"></p>
<label for="type">Event Type</label>
<input id="type" name="type" autocomplete="off" required>
<p class="problem" id="type-problem"></p>
<label for="source">Event Source</label>
<input id="source" name="source" autocomplete="off" required>
<p class="problem" id="source-problem"></p>
<label for="specversion">Specversion</label>
<select id="specversion" name="specversion"><option>1.0</option><option>0.3</option></select>
<label for="message">Message</label>
<textarea id="message" name="message" rows="6" spellcheck="false" required></textarea>
<p class="problem" id="message-problem"></p>
<button type="submit" id="send">Send event</button>
<p id="outcome" role="status"></p>
</form>
</section>
<section aria-labelledby="activity">
<div class="row"><h2 id="activity">Activity</h2><button type="button" id="clear">Clear events</button></div>
<table>
<thead><tr><th>ID</th><th>Type</th><th>Subject</th><th>Source</th><th>Status</th><th>Local time</th><th>Message</th></tr></thead>
<tbody id="events"></tbody>
</table>
<p id="none">No events yet.</p>
</section>
</main>
<dialog id="dialog" aria-labelledby="dialog-title"><h2 id="dialog-title">Event</h2><pre id="details"></pre>
<form method="dialog"><button>Close</button></form></dialog>
</body>
</html>
`

export const STYLE = `
:root { color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif; }
body { margin: 0; }
header { padding: 1rem 1.5rem; background: #0865ad; color: #fff; }
header h1 { margin: 0; font-size: 1.25rem; }
header p { margin: 0; font-size: .85rem; overflow-wrap: anywhere; }
main { display: grid; grid-template-columns: minmax(16rem, 24rem) 1fr; gap: 2rem; padding: 1rem 1.5rem; }
@media (max-width: 60rem) { main { grid-template-columns: 1fr; } }
label { display: block; margin-top: .75rem; font-size: .85rem; }
input, select, textarea { box-sizing: border-box; width: 100%; padding: .4rem; font: inherit; }
textarea { font-family: ui-monospace, monospace; font-size: .85rem; }
button { padding: .4rem .8rem; font: inherit; cursor: pointer; }
.row { display: flex; gap: .5rem; align-items: center; justify-content: space-between; }
.problem { margin: 0; font-size: .8rem; color: #c62828; min-height: 1.1em; }
section { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th { white-space: nowrap; }
th, td { padding: .35rem .5rem; text-align: left; border-bottom: 1px solid #8884; font-size: .9rem; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
`

export const SCRIPT = `'use strict'
const byId = (id) => document.getElementById(id)
const SIGNS = { SENT: '\\u27a4 sent', RECEIVED: '\\u2713 received', FAILED: '\\u2717 failed' }
const FIELDS = ['id', 'type', 'source', 'message']
const touched = new Set()
let rows = new Map()

/** crypto.randomUUID is only there where a page came over TLS or from this machine. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function problemOf(field) {
  const value = byId(field).value.trim()
  if (value === '') return 'This is required.'
  if (field === 'source' && /\\s/.test(value)) return 'A source is a URI reference: it has no spaces.'
  if (field !== 'message') return ''
  try {
    JSON.parse(value)
    return ''
  } catch {
    return 'This is not JSON.'
  }
}

function showProblems() {
  let isValid = true
  for (const field of FIELDS) {
    const problem = problemOf(field)
    isValid = isValid && problem === ''
    byId(field + '-problem').textContent = touched.has(field) ? problem : ''
    byId(field).setAttribute('aria-invalid', String(touched.has(field) && problem !== ''))
  }
  return isValid
}

/** A header carries one byte a character: text beyond ASCII goes out as the bytes of its UTF-8. */
const headerText = (text) => String.fromCharCode(...new TextEncoder().encode(text.trim()))

async function send() {
  const headers = { 'Content-Type': 'application/json' }
  for (const name of ['id', 'type', 'source', 'specversion']) headers['ce-' + name] = headerText(byId(name).value)
  try {
    const response = await fetch('messages', { method: 'POST', headers, body: byId('message').value })
    byId('outcome').textContent = response.ok ? '' : 'Not sent: ' + ((await response.text()) || response.status)
  } catch (error) {
    byId('outcome').textContent = 'Not sent: ' + error.message
  }
}

function cell(row, text) {
  row.insertCell().textContent = text || '-'
}

function rowOf(message) {
  const row = document.createElement('tr')
  row.dataset.status = message.type
  cell(row, message.id)
  cell(row, message.eventType)
  cell(row, message.subject)
  cell(row, message.source)
  cell(row, SIGNS[message.type])
  cell(row, new Date(message.receivedAt).toLocaleString())
  const button = document.createElement('button')
  button.type = 'button'
  button.textContent = '\\u2709'
  button.title = 'Show the event'
  button.setAttribute('aria-label', 'Show event ' + message.id)
  button.addEventListener('click', () => {
    byId('details').textContent = JSON.stringify(message, null, 2)
    byId('dialog').showModal()
  })
  row.insertCell().append(button)
  return row
}

/** A row that is still wanted stays the element that it is: replaced under a pressed button, it would swallow the click. */
function show(messages) {
  const body = byId('events')
  const before = rows
  rows = new Map()
  for (const message of messages) {
    let key = JSON.stringify(message)
    while (rows.has(key)) key += ' '
    rows.set(key, before.get(key) || rowOf(message))
  }
  for (const [key, row] of before) if (!rows.has(key)) row.remove()
  let next = body.firstElementChild
  for (const row of rows.values()) {
    if (row === next) next = next.nextElementSibling
    else body.insertBefore(row, next)
  }
  byId('none').hidden = messages.length > 0
}

/** One at a time, and once more when something came meanwhile. */
let isLoading = false
let isStale = false
async function load() {
  isStale = true
  if (isLoading) return
  isLoading = true
  while (isStale) {
    isStale = false
    try {
      const response = await fetch('messages?page=0&size=200')
      if (response.ok) show(await response.json())
    } catch {
      // The stream of changes connects again by itself, and this is done again then.
    }
  }
  isLoading = false
}

for (const field of FIELDS) {
  byId(field).addEventListener('input', () => {
    touched.add(field)
    showProblems()
  })
}
byId('generate').addEventListener('click', () => {
  byId('id').value = newId()
  showProblems()
})
byId('event').addEventListener('submit', (event) => {
  event.preventDefault()
  for (const field of FIELDS) touched.add(field)
  if (showProblems()) void send()
})
byId('clear').addEventListener('click', () => void fetch('messages', { method: 'DELETE' }).then(load))

byId('message').value = JSON.stringify({ message: 'Hello CloudEvents!' }, null, 2)
const changes = new EventSource('changes')
changes.addEventListener('sink', (event) => { byId('sink').textContent = event.data })
changes.onopen = load
changes.onmessage = load
`
