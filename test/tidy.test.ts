import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')

const PASSED_OVER = new Set(['.git', '.tmp', 'coverage', 'dist', 'node_modules', 'vectors'])

/** All files but what is installed, built, or not ours to write. */
const files = filesBelow('').filter((file) => !/static\.js$|^package-lock\.json$|\.tgz$/.test(file))

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (PASSED_OVER.has(entry.name)) return []
    const path = folder + entry.name
    return entry.isDirectory() ? filesBelow(`${path}/`) : [path]
  })
}

const code = files.filter((file) => /\.(ts|js|mjs|json|proto|md)$/.test(file) || file === '.ci/run')

/** What must not be found in a line, and where it is looked for. In pieces, so that this file does not find itself. */
const BANS: readonly { readonly what: string; readonly where: RegExp; readonly pattern: RegExp }[] = [
  {
    what: 'a path of one machine',
    where: /./,
    pattern: new RegExp(['/wo' + 'rk/', '/ho' + 'me/[a-z]', '/Us' + 'ers/'].join('|')),
  },
  { what: 'a folder beside this one', where: /./, pattern: new RegExp('\\.\\./sha' + 'red') },
  {
    what: 'work left undone',
    where: /^(src|test|bench|examples|scripts)\//,
    pattern: new RegExp('\\b(TO' + 'DO|FIX' + 'ME)\\b'),
  },
  {
    what: 'a test alone or left out',
    where: /^test\//,
    pattern: new RegExp('\\b(it|test|describe)\\.(on' + 'ly|sk' + 'ip|to' + 'do)\\(\\s*[\'"`]'),
  },
  {
    what: 'a rule switched off without a reason',
    where: /^(src|test|bench|examples|scripts)\//,
    pattern: new RegExp('eslint-dis' + 'able(?!.* -- \\S)'),
  },
  {
    what: 'a type error waved through',
    where: /^(src|test|bench|examples|scripts)\//,
    pattern: new RegExp('@ts-(ig' + 'nore|nocheck|expect-error(?! \\S))'),
  },
  {
    what: 'a test that sleeps',
    where: /^test\//,
    pattern: new RegExp('setTime' + 'out\\(\\s*resolve, *[1-9][0-9]+'),
  },
]

describe('tidy: what the rooms are kept free of', () => {
  it.each(BANS)('no line has $what', ({ where, pattern }) => {
    const found = code
      .filter((file) => where.test(file))
      .flatMap((file) =>
        readFileSync(join(root, file), 'utf8')
          .split('\n')
          .flatMap((line, i) => (pattern.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
      )
    expect(found).toEqual([])
  })

  it('no file lies about that nobody asked for', () => {
    const known = /^(src|test|bench|examples|scripts)\/.*\.(ts|js|mjs|json|proto|snap)$/
    const rootFiles = new Set([
      '.ci/run',
      '.dependency-cruiser.js',
      '.gitignore',
      '.prettierignore',
      '.prettierrc.json',
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'LICENSE',
      'README.md',
      'eslint.config.js',
      'knip.config.ts',
      'package.json',
      'tsconfig.json',
      'tsup.config.ts',
      'vitest.config.ts',
    ])
    expect(files.filter((file) => !known.test(file) && !rootFiles.has(file))).toEqual([])
  })
})
