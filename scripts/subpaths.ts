import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One public door of the package. */
export interface Subpath {
  /** As a user imports it: `recoverylog/node`. */
  readonly specifier: string
  /** The file it is built from: `src/node/index.ts`. */
  readonly source: string
  /** The file it is built to, below dist/ and without an ending: `node/index`. */
  readonly output: string
}

/** The doors that package.json lists: the one place where they are listed. */
export function subpaths(): Subpath[] {
  const { name, exports } = JSON.parse(
    readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'),
  ) as {
    name: string
    exports: Record<string, string | { default: string }>
  }
  return Object.entries(exports).flatMap(([subpath, target]) => {
    if (typeof target === 'string') return []
    const output = target.default.replace(/^\.\/dist\//, '').replace(/\.js$/, '')
    return [{ specifier: name + subpath.slice(1), source: `src/${output}.ts`, output }]
  })
}
