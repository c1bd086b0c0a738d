import { defineConfig } from 'vitest/config'

const common = { isolate: false, testTimeout: 20_000, hookTimeout: 60_000 }
/** What counts syncs and kills: one file at a time. */
const alone = { ...common, fileParallelism: false, sequence: { groupOrder: 2 } }
/** Whole emulators and child processes spend much of their time waiting: two files at a time, however many cores there are. */
const few = { ...common, maxWorkers: 2, sequence: { groupOrder: 1 }, testTimeout: 120_000 }

export default defineConfig({
  test: {
    globalSetup: ['test/support/build.ts'],
    reporters: process.env['CI'] ? ['default', ['json', { outputFile: 'test-results.json' }]] : ['default'],
    projects: [
      { extends: true, test: { ...common, name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      { extends: true, test: { ...few, name: 'emulator', include: ['test/emulator/**/*.test.ts'] } },
      { extends: true, test: { ...few, name: 'cli', include: ['test/cli/**/*.test.ts'] } },
      { extends: true, test: { ...alone, name: 'soak', include: ['test/soak/**/*.test.ts'], testTimeout: 3_600_000 } },
    ],
  },
})
