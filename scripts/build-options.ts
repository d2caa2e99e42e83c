import type { Options } from 'tsup'
import { keepConstants } from './keep-constants.ts'

/** How code is built: what is shipped, and so what the bench measures. */
export const BUILD: Options = {
  format: 'esm',
  target: 'es2022',
  removeNodeProtocol: false,
  platform: 'neutral', // one build for Node, Deno, Bun and browsers; `node:` imports are left as they are
  external: [/^node:/],
  splitting: true, // what several subpaths share is there once, and is one class to all of them
  plugins: [keepConstants()],
}
