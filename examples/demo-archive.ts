/**
 * npm run demo:archive: the log of a program, from its first line to files that can be read from anywhere.
 *
 * The TypeScript compiler runs over this project and tells what it does, on stdout and stderr: two streams of one prefix.
 * A child process archives them. It is killed with SIGKILL half way, while the program goes on, and started again: what it
 * had not acknowledged is sent again. Then the streams are archived, read from the middle and the end, and checked line by
 * line against what the program wrote.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { LogArchive, renderEntries } from 'recoverylog/node'

/** What the child is sent: lines of a stream; without any: the end. */
export type ToChild =
  { readonly path: string; readonly lines: readonly string[] } | { readonly lines?: never }

/** What it tells: how many lines of a stream are stored. */
export interface FromChild {
  readonly path: string
  readonly stored: number
  readonly isOpened?: boolean
}

/** One of the program's outputs: all of its lines, and how far they are sent and acknowledged. */
interface Output {
  readonly path: string
  readonly lines: string[]
  sent: number
  acknowledged: number
  isOpen: boolean
}

const LINES_PER_MESSAGE = 500
const KILLED_AFTER_LINES = 5_000
const place = mkdtempSync(join(tmpdir(), 'recoverylog-demo-'))
const dir = join(place, 'logs')
const stdout = output('demo/compiler/+/stdout')
const stderr = output('demo/compiler/+/stderr')
const outputs = [stdout, stderr]
let failures = 0
let progress = ''

function output(path: string): Output {
  return { path, lines: [], sent: 0, acknowledged: 0, isOpen: false }
}

function check(what: string, isGood: boolean, detail = ''): void {
  if (!isGood) failures++
  console.log(`  ${isGood ? 'ok  ' : 'FAIL'}  ${what}${detail === '' ? '' : ` (${detail})`}`)
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1e3).toFixed(1)} kB`
}

function total(count: (output: Output) => number): number {
  return outputs.reduce((sum, one) => sum + count(one), 0)
}

function showProgress(): void {
  const came = total(({ lines }) => lines.length)
  const stored = total(({ acknowledged }) => acknowledged)
  const text = `\r  ${String(came)} lines came, ${String(stored)} are stored`
  if (text !== progress) process.stdout.write(text)
  progress = text
}

/** The program: its lines are kept by us until the child has acknowledged them. */
function startProgram(): { readonly ended: Promise<unknown> } {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const project = join(import.meta.dirname, '..')
  const program = spawn(process.execPath, [tsc, '-p', project, '--noCheck', '--traceResolution'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_DEBUG: 'module' },
  })
  createInterface({ input: program.stdout }).on('line', (line) => stdout.lines.push(line))
  createInterface({ input: program.stderr }).on('line', (line) => stderr.lines.push(line))
  return { ended: once(program, 'close') }
}

function startChild(): { readonly child: ChildProcess; readonly exited: Promise<unknown[]> } {
  const file = join(import.meta.dirname, 'demo-archive-child.ts')
  const paths = outputs.map(({ path }) => path)
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), file, dir, ...paths], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  child.on('message', ({ path, stored, isOpened = false }: FromChild) => {
    const one = outputs.find((other) => other.path === path) as Output
    if (isOpened) {
      check(`${path}: what was acknowledged is there`, stored >= one.acknowledged, `${String(stored)} lines`)
      one.sent = stored
      one.isOpen = true
    }
    one.acknowledged = stored
  })
  return { child, exited: once(child, 'exit') }
}

/** Sends what has come and was not sent yet, until `isOver`. */
async function feed(child: ChildProcess, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    for (const one of outputs) {
      // One message of each stream at a time: the child answers when it is stored.
      if (!one.isOpen || one.sent > one.acknowledged || one.sent === one.lines.length) continue
      const lines = one.lines.slice(one.sent, one.sent + LINES_PER_MESSAGE)
      one.sent += lines.length
      child.send({ path: one.path, lines } satisfies ToChild)
    }
    showProgress()
    if (child.exitCode !== null) throw new Error('the child has ended before its time')
    await sleep(1)
  }
  console.log('')
}

async function write(): Promise<void> {
  console.log('1. The compiler runs, a child process stores what it says, and is killed.')
  let isRunning = true
  const program = startProgram()
  const ended = program.ended.then(() => (isRunning = false))
  const first = startChild()
  await feed(first.child, () => stdout.acknowledged >= KILLED_AFTER_LINES)
  for (const one of outputs) one.isOpen = false
  first.child.kill('SIGKILL')
  await first.exited
  check(
    'it was killed with lines on their way',
    total(({ lines, acknowledged }) => lines.length - acknowledged) > 0,
  )

  console.log('2. Another one goes on where it was, with what has come meanwhile.')
  const second = startChild()
  const isThrough = (): boolean => !isRunning && outputs.every((one) => one.acknowledged === one.lines.length)
  await feed(second.child, isThrough)
  await ended
  second.child.send({} satisfies ToChild)
  const [code] = await second.exited
  check('it has archived the streams, and ended well', code === 0)
}

/** What the archive holds of a stream: its lines, and the entries' indexes of the prefix. */
async function readAll(archive: LogArchive, path: string): Promise<{ lines: string[]; indexes: number[] }> {
  const pieces: Buffer[] = []
  const indexes: number[] = []
  for await (const entries of archive.read(path)) {
    indexes.push(...entries.map(({ prefixIndex }) => prefixIndex))
    for (const piece of renderEntries(entries, { raw: true })) pieces.push(Buffer.from(piece))
  }
  return { lines: Buffer.concat(pieces).toString().split('\n').slice(0, -1), indexes }
}

async function show(
  archive: LogArchive,
  path: string,
  where: { from: number } | { tail: number },
): Promise<void> {
  const begin = performance.now()
  for await (const entries of archive.read(path, { ...where, limit: 3 })) {
    for (const { streamIndex, content } of entries) {
      const line =
        content?.kind === 'text' ? content.lines.map(({ value }) => Buffer.from(value).toString()) : []
      console.log(`    ${String(streamIndex)}: ${line.join('').slice(0, 90)}`)
    }
  }
  console.log(`    in ${(performance.now() - begin).toFixed(1)} ms`)
}

async function read(): Promise<void> {
  const archive = await LogArchive.open({ dir, archivist: false, sweep: false })
  for (const [i, { path, lines }] of outputs.entries()) {
    console.log(`${String(3 + i)}. The archive of ${path}`)
    const found = await readAll(archive, path)
    const isSame = found.lines.length === lines.length && found.lines.every((line, at) => line === lines[at])
    check('no line is missing, none is there twice', isSame, `${String(lines.length)} lines`)
    check(
      'the prefix indexes rise',
      found.indexes.every((index, at) => at === 0 || index > (found.indexes[at - 1] ?? 0)),
    )
    const { isGood, faults, manifest } = await archive.verify(path)
    check('it is what its manifest says', isGood, faults.map(({ what }) => what).join())
    check('and complete', manifest?.complete === true && manifest.entryCount === lines.length)
    console.log('  its manifest:')
    for (const [name, { size, sha256 }] of Object.entries(manifest?.files ?? {})) {
      console.log(`    ${name.padEnd(18)} ${kilobytes(size).padStart(10)}  sha256 ${sha256.slice(0, 16)}...`)
    }
    console.log('  from the middle:')
    await show(archive, path, { from: Math.floor(lines.length / 2) })
    console.log('  its end:')
    await show(archive, path, { tail: 3 })
  }
  const tails = await Promise.all(outputs.map(({ path }) => archive.logs.tail({ project: 'default', path })))
  check(
    'the entries are out of intermediate storage',
    tails.every(({ stream }) => stream.phase === 'cleaned'),
  )
  for (const folder of readdirSync(dir)) {
    console.log(`    ${folder.padEnd(18)} ${kilobytes(sizeOf(join(dir, folder))).padStart(10)}`)
  }
  await archive.close()
}

try {
  await write()
  await read()
} finally {
  rmSync(place, { recursive: true, force: true })
}
console.log(failures === 0 ? 'All checks passed.' : `${String(failures)} checks FAILED.`)
process.exitCode = failures === 0 ? 0 : 1
