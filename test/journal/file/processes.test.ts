import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileJournal } from '../../../src/journal/file/index.ts'
import { contentNamed, takeApart } from './named-content.ts'

const SCRIPT = fileURLToPath(new URL('appending-process.ts', import.meta.url))
const SEED = Number(process.env['SEED'] ?? 20261121)

let root: string
let dir: string
let children: Appending[]

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'processes-'))
  dir = join(root, 'journal')
  children = []
})

afterEach(async () => {
  for (const child of children) await child.kill()
  rmSync(root, { recursive: true })
})

interface Line {
  readonly id: string
  readonly begin: number
  readonly end: number
}

/** A child process that appends, and what it was told. */
class Appending {
  readonly acknowledged: Line[] = []
  readonly errors: string[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  readonly #waiting = new Set<() => void>()

  constructor(name: string) {
    this.#child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, dir, name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })
    lines.on('line', (line) => this.#take(line))
    this.#ended = new Promise((resolve) => lines.on('close', resolve))
    children.push(this)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Kills it, and waits until all that it said has been read. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  /** Waits until this holds. Fails when the process ends before. */
  async until(holds: () => boolean): Promise<void> {
    const ended = this.#ended.then(() => {
      throw new Error('the process has ended')
    })
    while (!holds()) await Promise.race([ended, new Promise<void>((resolve) => this.#waiting.add(resolve))])
    ended.catch(() => undefined)
  }

  #take(line: string): void {
    const [first = '', begin, end] = line.split(' ')
    if (end !== undefined) this.acknowledged.push({ id: first, begin: Number(begin), end: Number(end) })
    else if (first !== 'ready') this.errors.push(first)
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }
}

async function expectAll(journal: FileJournal, ...appending: readonly Appending[]): Promise<void> {
  const found = await takeApart(journal)
  for (const { id, begin, end } of appending.flatMap(({ acknowledged }) => acknowledged)) {
    expect([id, found.get(id)]).toEqual([id, { begin, end }])
  }
}

describe(`file journal: several processes (seed ${SEED})`, () => {
  it('SIGKILL at random points: nothing acknowledged is lost, none is there in part (6 generations)', async () => {
    let random = SEED
    for (let generation = 0; generation < 6; generation++) {
      random = (random * 1_103_515_245 + 12_345) % 2 ** 31
      const child = new Appending(`g${generation}`)
      const wanted = 1 + (random % 60)
      await child.until(() => child.acknowledged.length >= wanted)
      await child.kill()
      await using journal = await FileJournal.open({ dir })
      await expectAll(journal, ...children)
    }
    await using journal = await FileJournal.open({ dir })
    await journal.append({ content: contentNamed('last', 50) })
    await expectAll(journal, ...children)
    expect(children.every(({ errors }) => errors.length === 0)).toBe(true)
  })

  it('a reader in another process follows live, across segments, a kill and a new owner', async () => {
    await using journal = await FileJournal.open({ dir, pollMs: 60_000 })
    const seen: Buffer[] = []
    let length = 0
    const abort = new AbortController()
    const following = (async () => {
      for await (const { offset, bytes } of journal.read({ offset: 0, block: true, signal: abort.signal })) {
        expect(offset).toBe(length)
        seen.push(Buffer.from(bytes))
        length += bytes.length
      }
    })()
    for (const name of ['one', 'two']) {
      const child = new Appending(name)
      await child.until(() => child.acknowledged.length >= 100)
      await child.kill()
    }
    await using own = await FileJournal.open({ dir })
    const { end } = await own.append({ content: contentNamed('own', 60) })
    while (length < end) await new Promise((resolve) => setImmediate(resolve))
    abort.abort()
    await expect(following).rejects.toMatchObject({ code: 'ABORTED' })
    const all = Buffer.concat(seen)
    for (const { id, begin, end: until } of children.flatMap(({ acknowledged }) => acknowledged)) {
      expect(all.subarray(begin, until).equals(contentNamed(id, until - begin))).toBe(true)
    }
  })

  it('processes that take over from each other: each acknowledged append is there once, the replaced ones are told', async () => {
    const rivals = ['a', 'b', 'c'].map((name) => new Appending(name))
    for (const rival of rivals) {
      await rival.until(() => rival.acknowledged.length >= 20 && rival.errors.length >= 3)
    }
    for (const rival of rivals) await rival.kill()
    await using journal = await FileJournal.open({ dir })
    await expectAll(journal, ...rivals)
    for (const { errors } of rivals) expect(new Set(errors)).toEqual(new Set(['APPENDER_REPLACED']))
  })

  it('an appender that hangs is taken over; when it goes on, it learns it and nothing of it is in the way', async () => {
    const hung = new Appending('hung')
    await hung.until(() => hung.acknowledged.length >= 30)
    hung.signal('SIGSTOP')
    await using journal = await FileJournal.open({ dir })
    for (let i = 0; i < 5; i++) await journal.append({ content: contentNamed(`own-${i}`, 100 + i) })
    await expectAll(journal, hung)
    const before = hung.acknowledged.length
    hung.signal('SIGCONT')
    // What was under way may all lie below the seal: then it is answered, and only what was queued is told.
    await hung.until(() => hung.errors.length > 0 || hung.acknowledged.length > before + 100)
    expect(hung.errors.filter((code) => code !== 'APPENDER_REPLACED')).toEqual([])
    await hung.kill()
    await using again = await FileJournal.open({ dir })
    await expectAll(again, hung)
    expect((await takeApart(again)).has('own-4')).toBe(true)
  })
})
