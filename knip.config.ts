import type { KnipConfig } from 'knip'
import { subpaths } from './scripts/subpaths.ts'

export default {
  entry: [
    ...subpaths().map(({ source }) => source),
    'bench/*.ts',
    'examples/*.ts',
    'scripts/*.ts',
    'test/**/*.test.ts',
    'test/setup.ts', // of vitest.config.ts
    'test/support/*-worker.ts', // run as processes of their own
  ],
  project: ['{src,bench,examples,scripts,test}/**/*.ts'],
  ignoreDependencies: [
    'protobufjs-cli', // called by its path, in scripts/generate-logdog.ts
    'lru-cache', // what the coordinator's cache is going to be measured against
  ],
  // What the archivist, the collector and further back ends are going to use.
  ignoreIssues: {
    'src/{archive,blob,names,wire/logdog}/index.ts': ['exports', 'types'],
    'src/archive/finalise.ts': ['exports'],
  },
  ignoreExportsUsedInFile: true,
  vitest: false,
} satisfies KnipConfig
