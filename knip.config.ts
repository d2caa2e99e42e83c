import type { KnipConfig } from 'knip'
import { subpaths } from './scripts/subpaths.ts'

export default {
  entry: [
    ...subpaths().map(({ source }) => source),
    'bench/*.ts',
    'examples/*.ts',
    'scripts/*.ts',
    'test/**/*.test.ts',
  ],
  project: ['{src,bench,examples,scripts,test}/**/*.ts'],
  ignoreExportsUsedInFile: true,
  vitest: false,
} satisfies KnipConfig
