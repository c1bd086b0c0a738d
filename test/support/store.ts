import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KubeObject } from '../../src/apimachinery/object.js'
import { createSilentLogger } from '../../src/base/logger.js'
import { openSqliteStore } from '../../src/store/sqlite.js'
import type { Change, Store, StoreEvent, StoreKey } from '../../src/store/store.js'

/** Built by test/support/build.ts. */
export const STORE_WORKER = join(import.meta.dirname, '..', '..', 'dist', 'store-worker.cjs')

export const LOGS_WORKER = join(import.meta.dirname, '..', '..', 'dist', 'append-log-worker.cjs')

/** A directory of the test's own, and what takes it away again. */
export function aDirectory(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'kn-store-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** A ConfigMap whose data is told apart by `text`. */
export function aConfigMap(name: string, text = '', namespace: string | undefined = 'default'): KubeObject & { data: { text: string } } {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...(namespace && { namespace }) }, data: { text } }
}

export const configMapKey = (name: string, namespace = 'default'): StoreKey => ({ resource: 'configmaps', namespace, name })

/** For `write`: stores this object, whatever is there. */
export const put = (object: KubeObject) => (): Change => ({ put: object })

/** For `write`: removes what is there. */
export const remove = (current: KubeObject | undefined): Change => {
  if (!current) throw new Error('nothing is there')
  return { remove: current }
}

/** Opens a store file with the built worker. */
export function openStore(path: string, options: Partial<Parameters<typeof openSqliteStore>[0]> = {}): Promise<Store> {
  return openSqliteStore({ path, workerFile: STORE_WORKER, freeze: true, log: createSilentLogger(), ...options })
}

/** `ADDED a@3`, `MODIFIED a@4 was 3`: an event in a line. */
export function eventText({ type, key, version, object, previous }: StoreEvent): string {
  const was = previous ? ` was ${previous.metadata.resourceVersion}` : ''
  return `${type} ${key.name}@${object.metadata.resourceVersion === String(version) ? version : 'another version'}${was}`
}
