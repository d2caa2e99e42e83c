import type { KnipConfig } from 'knip'
import { subpaths } from './scripts/subpaths.ts'

export default {
  entry: [
    ...subpaths().map(({ source }) => source),
    'bench/*.ts',
    'examples/*.ts',
    'scripts/*.ts',
    'test/**/*.test.ts',
    'test/support/*-worker.ts', // run as processes of their own
  ],
  project: ['{src,bench,examples,scripts,test}/**/*.ts'],
  ignoreDependencies: ['protobufjs-cli'], // called by its path, in scripts/generate-logdog.ts
  ignoreExportsUsedInFile: true,
  vitest: false,
} satisfies KnipConfig
