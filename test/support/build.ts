import { execFileSync } from 'node:child_process'

/** Builds dist/ once per run: the store's worker, the supervisor, the built-in images and the bin are run from there. */
export default function setup(): void {
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' })
}
