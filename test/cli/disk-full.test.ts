import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BIN, HELLO_IMAGE, run } from '../support/emulator.js'

/** A file system of our own needs a mount namespace, which not every machine gives to everybody. */
const canMount = process.platform === 'linux' && spawnSync('unshare', ['-Urm', 'true']).status === 0

const SCRIPT = `
set -u
mount -t tmpfs -o size=2500k tmpfs "$DIR"
export HOME="$DIR/home" XDG_STATE_HOME="$DIR" XDG_CACHE_HOME="$ELSEWHERE" XDG_CONFIG_HOME="$ELSEWHERE"
mkdir "$HOME"
kn() { "$NODE" "$BIN" "$@"; }
kn emulator start --name full >/dev/null 2>&1 || exit 9
export KUBECONFIG="$DIR/kn-local/full/kubeconfig"
kn service create before --image "$IMAGE" >/dev/null 2>&1 || exit 8
dd if=/dev/zero of="$DIR/fill" bs=1k count=4000 2>/dev/null
# Some room is left inside the files that are there already.
for i in 1 2 3 4 5 6 7 8; do kn service create during$i --image "$IMAGE" --no-wait 2>"$ELSEWHERE/stderr" >"$ELSEWHERE/stdout" || break; done
echo "status $?"; grep -v ^Warning: "$ELSEWHERE/stderr"
echo "accepted $((i - 1))"
kn service list -o name
rm "$DIR/fill"
kn service create after --image "$IMAGE" >/dev/null 2>&1; echo "after $?"
kn service list -o name
kn emulator delete --name full >/dev/null
`

test.skipIf(!canMount)(
  'a full disk refuses what it cannot keep, in the error’s shape; what was accepted stays, and room is all it needs',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'kn-full-'))
    const elsewhere = mkdtempSync(join(tmpdir(), 'kn-elsewhere-'))
    try {
      writeFileSync(join(elsewhere, 'script.sh'), SCRIPT)
      const env = { PATH: process.env['PATH'], DIR: directory, ELSEWHERE: elsewhere, NODE: process.execPath, BIN, IMAGE: HELLO_IMAGE }
      const { exitCode, stdout } = await run('unshare', ['-Urm', 'sh', join(elsewhere, 'script.sh')], env)
      expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 })
      const refused =
        /Error: Internal error occurred: cannot write to .*store\.db: no space left on the disk \(ENOSPC\)\nRun 'kn --help' for usage\n/
      expect(stdout).toMatch(refused)
      const accepted = Number(/^accepted (\d+)$/m.exec(stdout)![1])
      const names = (part: string): string[] => [...part.matchAll(/^service\.serving\.knative\.dev\/(\S+)$/gm)].map(([, name]) => name!)
      const [during, after] = stdout.split(/^after 0$/m) as [string, string]
      const kept = ['before', ...Array.from({ length: accepted }, (_, index) => `during${index + 1}`)]
      expect(names(during)).toEqual(kept)
      expect(names(after)).toEqual(['after', ...kept])
    } finally {
      rmSync(directory, { recursive: true, force: true })
      rmSync(elsewhere, { recursive: true, force: true })
    }
  },
)
