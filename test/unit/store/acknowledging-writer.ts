// A process that writes to a store until it is killed or refused, and prints what it did, a line each.
// Arguments: the store's path, and how many characters an object has.
import { writeSync } from 'node:fs'
import { StorageError, type Store } from '../../../src/store/store.js'
import { aConfigMap, configMapKey, openStore, put } from '../../support/store.js'

const [path = '', characters = '100'] = process.argv.slice(2)
const say = (line: object): void => {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`)
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      // The reader is slow, and what was acknowledged has to be said before anything else happens.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

async function writeOn(store: Store, writer: string): Promise<void> {
  for (let number = 0; ; number++) {
    const name = `${writer}-${number % 20}`
    const text = `${process.pid} ${number} ${'x'.repeat(Number(characters))}`
    const { version } = await store.write(configMapKey(name), put(aConfigMap(name, text)))
    say({ version, name, text })
  }
}

try {
  const store = await openStore(path)
  say({ opened: store.version })
  const writers = await Promise.allSettled(['a', 'b', 'c', 'd'].map((writer) => writeOn(store, writer)))
  const codes = writers.map((writer) => writer.status === 'rejected' && writer.reason instanceof StorageError && writer.reason.code)
  say({ refused: codes, version: store.version, names: store.list('configmaps').items.map(({ metadata }) => metadata.name) })
  process.exit(0)
} catch (error) {
  say({ failed: error instanceof StorageError ? error.code : String(error) })
  process.exit(1)
}
