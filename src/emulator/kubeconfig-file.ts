import { closeSync, existsSync, mkdirSync, openSync, realpathSync, rmSync, statSync, unlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { Document, isMap, isSeq, parseDocument, type YAMLMap } from 'yaml'
import type { Clock } from '../base/clock.js'
import { readFileIfExists, writeFileAtomically } from '../base/files.js'
import { UserError } from '../base/user-error.js'
import { type EmulatorAccess, kubeconfigEntries } from './access.js'

/** The file kubectl would change: the first of KUBECONFIG that exists, else its last, else ~/.kube/config. */
export function userKubeconfigPath(env: NodeJS.ProcessEnv): string {
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean)
  return listed.find((path) => existsSync(path)) ?? listed.at(-1) ?? join(env['HOME'] || homedir(), '.kube', 'config')
}

/**
 * Adds the instance's cluster, user and context to the user's kubeconfig, as kind does: comments and all other entries
 * stay as they are. Becomes the current context only when there was none, or when asked; resolves to whether it is the current one.
 * Throws a UserError when the file is no kubeconfig or cannot be written; it is then as it was.
 */
export async function addContext(options: { path: string; access: EmulatorAccess; use: boolean; clock: Clock }): Promise<boolean> {
  let isCurrent = false
  await changeKubeconfig(options, (document) => {
    for (const [list, entry] of Object.entries(kubeconfigEntries(options.access))) putNamed(document, list, entry as { name: string })
    if (options.use || !document.get('current-context')) document.set('current-context', options.access.context)
    isCurrent = document.get('current-context') === options.access.context
  })
  return isCurrent
}

/** Takes the instance's entries out again; a file that held nothing else is removed. */
export async function removeContext(options: { path: string; context: string; clock: Clock }): Promise<void> {
  if (!existsSync(options.path)) return
  await changeKubeconfig(options, (document) => {
    for (const list of ['clusters', 'users', 'contexts']) {
      const entries = document.get(list)
      if (!isSeq(entries)) continue
      entries.items = entries.items.filter((item) => !(isMap(item) && item.get('name') === options.context))
    }
    if (document.get('current-context') === options.context) document.set('current-context', '')
  })
}

async function changeKubeconfig(options: { path: string; clock: Clock }, change: (document: Document) => void): Promise<void> {
  const { clock } = options
  // Through a link to the file it stands for, so that replacing the file keeps the link.
  const path = existsSync(options.path) ? realpathSync(options.path) : options.path
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 })
  await withLock(`${path}.lock`, clock, () => {
    const before = readFileIfExists(path)
    const document = before?.trim() ? parseDocument(before) : new Document({ apiVersion: 'v1', kind: 'Config', preferences: {} })
    if (document.errors.length > 0 || !isMap(document.contents)) {
      throw new UserError({
        code: 'kubeconfig-unreadable',
        what: `cannot add the emulator's context to ${path}`,
        why: document.errors[0]?.message.split('\n')[0] ?? 'it is not a kubeconfig',
        remedies: ['repair the file, or set KUBECONFIG to another one'],
      })
    }
    change(document)
    const isEmpty = ['clusters', 'users', 'contexts'].every((list) => {
      const entries = document.get(list)
      return !isSeq(entries) || entries.items.length === 0
    })
    if (isEmpty && !document.commentBefore) {
      rmSync(path, { force: true })
      return
    }
    const after = document.toString({ lineWidth: 0 })
    if (after === before) return
    writeFileAtomically(path, after, { mode: before === undefined ? 0o600 : statSync(path).mode & 0o777 })
  })
}

function putNamed(document: Document, list: string, entry: { name: string }): void {
  if (!isSeq(document.get(list))) document.set(list, document.createNode([]))
  const entries = document.get(list) as { items: unknown[]; flow?: boolean }
  entries.flow = false
  const node = document.createNode(entry) as YAMLMap
  const at = entries.items.findIndex((item) => isMap(item) && item.get('name') === entry.name)
  if (at >= 0) entries.items[at] = node
  else entries.items.push(node)
}

const LOCK_TRIES = 100
const LOCK_WAIT_MS = 30

/** The lock file kubectl itself uses beside a kubeconfig. One left behind by a crash is named, not broken. */
async function withLock(lock: string, clock: Clock, work: () => void): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      closeSync(openSync(lock, 'wx', 0o600))
      break
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code !== 'EEXIST')
        throw new UserError({ code: 'kubeconfig-unwritable', what: `cannot write ${lock.slice(0, -'.lock'.length)}`, why: message })
      if (tries >= LOCK_TRIES) {
        throw new UserError({
          code: 'kubeconfig-locked',
          what: `cannot change ${lock.slice(0, -'.lock'.length)}`,
          why: `${lock} exists, so another program is changing it or was interrupted`,
          remedies: [`rm ${lock}`],
        })
      }
      await clock.sleep(LOCK_WAIT_MS)
    }
  }
  try {
    work()
  } finally {
    unlinkSync(lock)
  }
}
