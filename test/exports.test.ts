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

/** Values and types alike, each as its users see it. */
function publicNames(source: string): string[] {
  const file = program.getSourceFile(source)
  const symbol = file && checker.getSymbolAtLocation(file)
  if (symbol === undefined) throw new Error(`${source} is no module`)
  return checker
    .getExportsOfModule(symbol)
    .map((name) => {
      const named = name.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(name) : name
      return `${named.flags & ts.SymbolFlags.Value ? '' : 'type '}${name.name}`
    })
    .sort()
}

describe('exports: no public name comes or goes unnoticed', () => {
  it.each(doors)('$specifier', ({ source }) => {
    expect(publicNames(source)).toMatchSnapshot()
  })

  it.each(doors)('$specifier: what it exports can be imported', async ({ specifier, source }) => {
    const imported = Object.keys((await import(specifier)) as object).sort()
    expect(imported).toEqual(publicNames(source).filter((name) => !name.startsWith('type ')))
  })
})
