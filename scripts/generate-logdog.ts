/**
 * Makes the static protobuf code from src/wire/logdog/logdog.proto: `node --import tsx scripts/generate-logdog.ts`.
 * With `--check` it writes nothing, and fails when what is there is not what would be written.
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const proto = 'src/wire/logdog/logdog.proto'

/** What a reader of the generated code must know first. */
const banner = `// Generated from ${proto} by scripts/generate-logdog.ts. Do not edit.\n`

/** The messages that are not written by hand. */
const cold = ['LogStreamDescriptor', 'ButlerMetadata', 'ButlerLogBundle']

const OPTIONS = [
  [
    '--target',
    'static-module',
    '--wrap',
    'es6',
    '--root',
    'recoverylog',
    '--dependency',
    'protobufjs/minimal.js',
  ],
  [
    '--no-create',
    '--no-verify',
    '--no-convert',
    '--no-delimited',
    '--no-typeurl',
    '--no-service',
    '--no-comments',
  ],
].flat()

/** Generated code registers itself where every copy of it would meet: each module is to have a root of its own. */
const SHARED_ROOT = '$protobuf.roots["recoverylog"] || ($protobuf.roots["recoverylog"] = {})'

interface Output {
  readonly path: string
  readonly messages?: readonly string[]
}

const outputs: readonly Output[] = [
  { path: 'src/wire/logdog/static.js', messages: cold },
  { path: 'test/support/logdog-static.js' },
]

function generate(messages: readonly string[] | undefined): string {
  const folder = mkdtempSync(join(tmpdir(), 'generate-logdog-'))
  try {
    const filter = join(folder, 'filter.json')
    const out = join(folder, 'static.js')
    const extra: string[] = []
    if (messages !== undefined) {
      writeFileSync(
        filter,
        JSON.stringify({ rootName: 'logdog', messageNames: messages.map((name) => `logdog.${name}`) }),
      )
      extra.push('--filter', filter)
    }
    const pbjs = join(root, 'node_modules/.bin/pbjs')
    execFileSync(pbjs, [...OPTIONS, ...extra, '--out', out, proto], { cwd: root })
    return banner + readFileSync(out, 'utf8').replace(SHARED_ROOT, '{}')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

let different = 0
for (const { path, messages } of outputs) {
  const file = join(root, path)
  const text = generate(messages)
  if (!process.argv.includes('--check')) writeFileSync(file, text)
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`${path} is not what ${proto} gives: run scripts/generate-logdog.ts`)
    different++
  }
}
process.exitCode = different
