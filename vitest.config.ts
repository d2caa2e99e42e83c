import { defineConfig } from 'vitest/config'

const src = new URL('./src/', import.meta.url).pathname

export default defineConfig({
  resolve: {
    alias: [
      // Examples import the package by its name; in the tests that is the source.
      { find: /^recoverylog$/, replacement: `${src}index.ts` },
      { find: /^recoverylog\/(.*)$/, replacement: `${src}$1/index.ts` },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['./test/setup.ts'],
    // The same histories in each run, and others when asked for: what fails must fail again.
    env: {
      SEED: process.env['SEED'] ?? '5',
      RECOVERYLOG_SEED: process.env['RECOVERYLOG_SEED'] ?? process.env['SEED'] ?? '1',
    },
    pool: 'forks', // a test may kill, fill or block its process: it has one to itself
    maxWorkers: 2, // by itself it would leave one of two cores idle
    testTimeout: 180_000, // generous: a busy machine makes nothing wrong
    hookTimeout: 180_000,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'], // not what protobufjs has generated
      reporter: ['text-summary', 'html', 'json-summary'],
      reportOnFailure: true,
      thresholds: { lines: 95, branches: 95 },
    },
  },
})
