import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { vi } from 'vitest'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']

/** The Chromium on the PATH, if there is one. */
export function findChromium(): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(delimiter)
  return NAMES.flatMap((name) => directories.map((directory) => join(directory, name))).find((path) => existsSync(path))
}

/** A page in a real browser, used as a person uses it. Selectors are CSS. */
export interface Page {
  /** The value of an expression in the page. */
  evaluate<T>(expression: string): Promise<T>
  /** Clicks into the middle of an element with the mouse. */
  click(selector: string): Promise<void>
  /** Replaces what a field holds by typing. */
  fill(selector: string, text: string): Promise<void>
  /** What is shown of an element. */
  text(selector: string): Promise<string>
  /** A PNG of what is shown, for a person to look at. */
  screenshot(): Promise<Buffer>
  /** URLs that were asked for, in order. */
  requests: readonly string[]
  /** What went wrong: exceptions, and what the console calls an error (a breach of the Content-Security-Policy, say). */
  problems: readonly string[]
}

/** What this takes out of the protocol's results and events. */
interface Said {
  targetId?: string
  sessionId?: string
  data?: string
  result?: { value?: unknown }
  exceptionDetails?: { text: string; exception?: { description?: string } }
  request?: { url: string }
  entry?: { level: string; text: string; url?: string }
}

interface Message {
  id?: number
  method?: string
  params?: Said
  result?: Said
  error?: { message: string }
}

/**
 * Opens a URL in a Chromium of its own, with a profile of its own, driven through the DevTools protocol on two pipes.
 * `close` ends it and removes the profile.
 */
export async function openPage(chromium: string, url: string): Promise<{ page: Page; close(): Promise<void> }> {
  const profile = mkdtempSync(join(tmpdir(), 'kn-chromium-'))
  const flags = [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--no-first-run',
    '--disable-background-networking',
  ]
  const child = spawn(chromium, [...flags, '--remote-debugging-pipe', `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    detached: true,
    env: { PATH: process.env['PATH'], HOME: profile },
  })
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const close = async (): Promise<void> => {
    try {
      process.kill(-child.pid!, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
    await exited
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }

  const waiting = new Map<number, { resolve(result: Said): void; reject(error: Error): void }>()
  const requests: string[] = []
  const problems: string[] = []
  const note = ({ method, params = {} }: Message): void => {
    const { request, exceptionDetails, entry } = params
    if (method === 'Network.requestWillBeSent') requests.push(request!.url)
    if (method === 'Runtime.exceptionThrown') problems.push(textOf(exceptionDetails!))
    if (method === 'Log.entryAdded' && entry!.level === 'error') problems.push(`${entry!.text} ${entry!.url ?? ''}`)
  }
  let unread = ''
  const [, , , to, from] = child.stdio as unknown as [null, null, null, Writable, Readable]
  to.on('error', () => {})
  from.setEncoding('utf8').on('data', (text: string) => {
    const parts = (unread + text).split('\0')
    unread = parts.pop()!
    for (const part of parts) {
      const message = JSON.parse(part) as Message
      const call = waiting.get(message.id ?? -1)
      if (!call) note(message)
      else if (message.error) call.reject(new Error(message.error.message))
      else call.resolve(message.result!)
    }
  })
  let lastId = 0
  const call = (method: string, params: object = {}, sessionId?: string): Promise<Said> =>
    new Promise((resolve, reject) => {
      const id = ++lastId
      waiting.set(id, { resolve, reject })
      to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
      void exited.then(() => reject(new Error(`the browser has ended before ${method}`)))
    })

  try {
    const { targetId } = await call('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true })
    const inPage = (method: string, params: object = {}): Promise<Said> => call(method, params, sessionId)
    for (const domain of ['Page', 'Runtime', 'Network', 'Log']) await inPage(`${domain}.enable`)
    await inPage('Page.navigate', { url })
    const evaluate = async <T>(expression: string): Promise<T> => {
      const { result, exceptionDetails } = await inPage('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
      if (exceptionDetails) throw new Error(textOf(exceptionDetails))
      return result!.value as T
    }
    await vi.waitFor(
      async () => {
        if ((await evaluate(`location.href === 'about:blank' ? 'blank' : document.readyState`)) !== 'complete')
          throw new Error('the page is still loading')
      },
      { timeout: 30_000, interval: 20 },
    )
    const page: Page = {
      evaluate,
      async click(selector) {
        const box = await evaluate<{ x: number; y: number }>(
          `(() => { const found = document.querySelector(${JSON.stringify(selector)}); found.scrollIntoView({ block: 'center' }); const { left, top, width, height } = found.getBoundingClientRect(); return { x: left + width / 2, y: top + height / 2 } })()`,
        )
        for (const type of ['mousePressed', 'mouseReleased'])
          await inPage('Input.dispatchMouseEvent', { type, ...box, button: 'left', clickCount: 1 })
      },
      async fill(selector, text) {
        await evaluate(`(() => { const found = document.querySelector(${JSON.stringify(selector)}); found.focus(); found.select() })()`)
        await inPage('Input.insertText', { text })
      },
      text: (selector) => evaluate(`document.querySelector(${JSON.stringify(selector)}).innerText`),
      async screenshot() {
        const { data } = await inPage('Page.captureScreenshot', { format: 'png' })
        return Buffer.from(data!, 'base64')
      },
      requests,
      problems,
    }
    return { page, close }
  } catch (error) {
    await close()
    throw error
  }
}

function textOf({ text, exception }: NonNullable<Said['exceptionDetails']>): string {
  return exception?.description ?? text
}
