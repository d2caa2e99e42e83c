import type { KnipConfig } from 'knip'
import { subpaths } from './scripts/subpaths.ts'

export default {
  entry: [
    ...subpaths().map(({ source }) => source),
    'bench/*.ts',
    'bench/support/archivist-process.ts', // run as a process of its own
    'examples/*.ts',
    'scripts/*.ts',
    'test/**/*.test.ts',
    'test/setup.ts', // of vitest.config.ts
    'test/support/*-worker.ts', // run as processes of their own
  ],
  project: ['{src,bench,examples,scripts,test}/**/*.ts'],
  ignoreDependencies: [
    'protobufjs-cli', // called by its path, in scripts/generate-logdog.ts
  ],
  ignoreBinaries: ['taskset'], // where there is one, the bench pins processes to cores with it
  // What back ends and doors that come later are going to use.
  ignoreIssues: {
    'src/{archive,archivist,blob,names,wire/logdog}/index.ts': ['exports', 'types'],
  },
  ignoreExportsUsedInFile: true,
  vitest: false,
} satisfies KnipConfig
