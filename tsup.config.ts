import { defineConfig } from 'tsup'
import { subpaths } from './scripts/subpaths.ts'

export default defineConfig({
  entry: Object.fromEntries(subpaths().map(({ output, source }) => [output, source])),
  format: 'esm',
  target: 'es2022',
  removeNodeProtocol: false,
  platform: 'neutral', // one build for Node, Deno, Bun and browsers; `node:` imports are left as they are
  external: [/^node:/],
  dts: true,
  splitting: true, // what several subpaths share is there once, and is one class to all of them
  sourcemap: true,
  clean: true,
})
