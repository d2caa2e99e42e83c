import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { subpaths } from '../scripts/subpaths.ts'

const root = join(import.meta.dirname, '..')
const doors = subpaths().map(({ specifier, source }) => ({ specifier, source: join(root, source) }))

const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
  config: { compilerOptions: object }
}
const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
const program = ts.createProgram(
  doors.map(({ source }) => source),
  options,
)
const checker = program.getTypeChecker()

/** Values and types alike. */
function exportedNames(source: string): string[] {
  const file = program.getSourceFile(source)
  const symbol = file && checker.getSymbolAtLocation(file)
  if (symbol === undefined) throw new Error(`${source} is no module`)
  return checker.getExportsOfModule(symbol).map(({ name }) => name)
}

describe('exports: no public name comes or goes unnoticed', () => {
  it.each(doors)('$specifier', async ({ specifier, source }) => {
    const values = new Set(Object.keys((await import(specifier)) as object))
    const names = exportedNames(source)
    expect(names).toEqual(expect.arrayContaining([...values]))
    expect(names.map((name) => (values.has(name) ? name : `type ${name}`)).sort()).toMatchSnapshot()
  })
})
