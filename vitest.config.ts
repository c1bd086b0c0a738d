import { defineConfig } from 'vitest/config'

const common = { isolate: false, testTimeout: 20_000, hookTimeout: 60_000 }
/** Whole emulators and child processes: one file at a time, or they would take each other's processor. */
const alone = { ...common, fileParallelism: false, testTimeout: 120_000 }

export default defineConfig({
  test: {
    globalSetup: ['test/support/build.ts'],
    reporters: process.env['CI'] ? ['default', ['json', { outputFile: 'test-results.json' }]] : ['default'],
    projects: [
      { extends: true, test: { ...common, name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      { extends: true, test: { ...alone, name: 'emulator', include: ['test/emulator/**/*.test.ts'] } },
      { extends: true, test: { ...alone, name: 'cli', include: ['test/cli/**/*.test.ts'] } },
      { extends: true, test: { ...alone, name: 'soak', include: ['test/soak/**/*.test.ts'], testTimeout: 3_600_000 } },
    ],
  },
})
