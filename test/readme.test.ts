import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')

/** Each block of code with the comment before it, which names what it quotes: `<!-- examples/a.ts#part -->`. */
const blocks = [...readme.matchAll(/(?:<!-- (\S+?)(?:#(\S+))? -->\n+)?```(?:ts|js)\n([\s\S]*?)```/g)].map(
  ([, file = '', region = '', code = '']) => ({ file, region, code }),
)

/** Programs that people start by hand (`npm run demo`) are proved by tests of their own. */
const examples = readdirSync(join(root, 'examples')).filter(
  (file) => file.endsWith('.ts') && !file.startsWith('demo'),
)

/** A file, or what stands in it between `// #region NAME` and `// #endregion`, shifted to the margin. */
function quoted(file: string, region: string): string {
  const text = readFileSync(join(root, file), 'utf8')
  if (region === '') return text
  const found = new RegExp(`^( *)// #region ${region}\n([\\s\\S]*?)^ *// #endregion`, 'm').exec(text)
  const [, indent = '', part = ''] = found ?? []
  return part.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
}

describe('readme: its code is that of the examples', () => {
  it.each(blocks)('block $#: quotes $file $region word for word', ({ file, region, code }) => {
    expect(file, `no comment says what this quotes:\n${code}`).toMatch(/^examples\//)
    expect(code).toBe(quoted(file, region))
  })

  it('names only files that are there', () => {
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => path)
    for (const path of links) expect(existsSync(join(root, path)), path).toBe(true)
  })

  it('names only scripts that package.json has', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
    const named = [...readme.matchAll(/npm run ([\w:-]+)/g)].map(([, script = '']) => script)
    expect(named.filter((script) => !(script in scripts))).toEqual([])
  })
})

describe('examples: each runs to its end', () => {
  it.each(examples)('%s', (file) => {
    const cwd = mkdtempSync(join(tmpdir(), 'example-'))
    try {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ['--import', import.meta.resolve('tsx'), join(root, 'examples', file)],
        {
          cwd,
          encoding: 'utf8',
          timeout: 60_000,
          env: { ...process.env, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') },
        },
      )
      expect(status, stdout + stderr).toBe(0)
    } finally {
      rmSync(cwd, { recursive: true })
    }
  })
})
