/**
 * `npm run test:runtimes`: packs the package, installs it in an empty project and runs scripts/runtimes/smoke.mjs there
 * on this Node and on those that are fetched: Node 20, 22 and 24, Deno, Bun. Names of runtimes on the command line
 * choose among them. Needs the registry.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const RUNTIMES: Readonly<Record<string, readonly [string, ...string[]]>> = {
  'this node': [process.execPath],
  'node 20': ['npx', '-y', '-p', 'node@20', 'node'],
  'node 22': ['npx', '-y', '-p', 'node@22', 'node'],
  'node 24': ['npx', '-y', '-p', 'node@24', 'node'],
  deno: ['npx', '-y', 'deno', 'run', '--allow-all'],
  bun: ['npx', '-y', 'bun', 'run'],
}

const root = join(import.meta.dirname, '..')
const asked = process.argv.slice(2)
const chosen = Object.entries(RUNTIMES).filter(([name]) => asked.length === 0 || asked.includes(name))
const project = mkdtempSync(join(tmpdir(), 'recoverylog-runtimes-'))
try {
  install()
  const failed = chosen.filter(([name, [command, ...args]]) => {
    const { status, stdout, stderr, error } = spawnSync(command, [...args, 'smoke.mjs'], {
      cwd: project,
      encoding: 'utf8',
      timeout: 300_000,
    })
    console.log(
      `${name.padEnd(10)} ${status === 0 ? stdout.trim() : `FAILED\n${stdout}${stderr}${String(error ?? '')}`}`,
    )
    return status !== 0
  })
  console.log(`runtimes: ${chosen.length - failed.length} passed, ${failed.length} failed`)
  process.exitCode = failed.length === 0 && chosen.length > 0 ? 0 : 1
} finally {
  rmSync(project, { recursive: true })
}

/** What a user gets: the packed files, without scripts, and the file system in memory that the smoke test plays onto. */
function install(): void {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    devDependencies: { memfs: string }
  }
  run(root, 'npm', 'run', 'build')
  run(root, 'npm', 'pack', '--pack-destination', project)
  writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }\n')
  const tarball = readdirSync(project).find((file) => file.endsWith('.tgz')) ?? 'no tarball'
  run(project, 'npm', 'install', '--ignore-scripts', `./${tarball}`, `memfs@${devDependencies.memfs}`)
  copyFileSync(join(import.meta.dirname, 'runtimes/smoke.mjs'), join(project, 'smoke.mjs'))
}

function run(cwd: string, command: string, ...args: string[]): void {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
}
