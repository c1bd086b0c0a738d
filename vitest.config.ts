import { defineConfig } from 'vitest/config'

const common = { isolate: false, testTimeout: 20_000, hookTimeout: 30_000 }

export default defineConfig({
  test: {
    globalSetup: ['test/support/build.ts'],
    reporters: ['default'],
    projects: [
      { extends: true, test: { ...common, name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      { extends: true, test: { ...common, name: 'emulator', include: ['test/emulator/**/*.test.ts'], fileParallelism: false } },
      { extends: true, test: { ...common, name: 'cli', include: ['test/cli/**/*.test.ts'], testTimeout: 60_000, fileParallelism: false } },
    ],
  },
})
