export { DurablePGliteFileSystem } from './durable-pglite-file-system.ts'
export type { DurablePGliteOptions, PGliteFileSystem } from './durable-pglite-file-system.ts'
