import { defineConfig } from 'tsup'
import { BUILD } from './scripts/build-options.ts'
import { subpaths } from './scripts/subpaths.ts'

export default defineConfig({
  ...BUILD,
  entry: Object.fromEntries(subpaths().map(({ output, source }) => [output, source])),
  dts: true,
  sourcemap: true,
  clean: true,
})
