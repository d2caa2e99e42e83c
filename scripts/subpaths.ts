import manifest from '../package.json' with { type: 'json' }

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
  return Object.entries(manifest.exports).flatMap(([subpath, target]) => {
    if (typeof target === 'string') return []
    const output = target.default.replace(/^\.\/dist\//, '').replace(/\.js$/, '')
    return [{ specifier: manifest.name + subpath.slice(1), source: `src/${output}.ts`, output }]
  })
}
