import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { xorshift32 } from '../../bench/workloads.ts'
import { FSM } from '../../src/fsm/index.ts'
import type { FSMHints } from '../../src/fsm/index.ts'
import { MemoryJournal } from '../../src/journal/index.ts'
import { nullTarget, Player } from '../../src/player/index.ts'
import { Recorder } from '../../src/recorder/index.ts'
import { hintsToJson, hintsToProto } from '../../src/wire/index.ts'
import { contentOf, framesOf } from '../recorder/replay.ts'
import type { LogCase, TreeEntry } from './log-folder.ts'

/** How many calls each of the two recorders makes. */
const CALLS = 60
/** As in Go: a tiny file that travels in the hints. */
const IDENTITY = '/IDENTITY'

/** Small enough for a log of some kilobytes to have gaps. */
const CUTS = { segmentGapBytesMin: 1000, segmentsPerFnodeMax: 8, goReadable: true }

/**
 * Writes one folder in the layout of `logs/`: a log that two of our recorders have written, the second of which took it
 * over from the first and adds checksums of content, hints of several moments and cut ones, and the tree that each of them must lead to. The tree is what was asked
 * of the recorders, not what our player makes of it.
 */
export async function makeLog(folder: string, name: string, seed: number): Promise<void> {
  const history = new History(name, seed)
  await history.takeOver({ log: history.journal.name, liveNodes: [], properties: [] })
  await history.record()
  const [, ...moments] = history.moments
  await history.takeOver((moments.at(-1) as Moment).hints)
  await history.record()
  await history.recordGaps()
  await history.takeCutHints()
  await history.close()
  await writeFolder(folder, name, history)
}

interface Moment {
  readonly name: string
  readonly hints: FSMHints
}

/** What two recorders do to a directory, and what is in it then. */
class History {
  readonly journal: MemoryJournal
  readonly moments: Moment[] = []
  readonly #next: () => number
  readonly #contents = new Map<number, Buffer>()
  readonly #links = new Map<string, number>()
  #identity: string | undefined
  #recorder: Recorder | undefined
  #names = 0

  constructor(name: string, seed: number) {
    this.journal = new MemoryJournal({ name: `vectors/${name}` })
    // xorshift32 stays at 0, and close seeds begin alike.
    this.#next = xorshift32(Math.imul(seed + 1, 0x9e3779b9) | 1)
    for (let i = 0; i < 16; i++) this.#next()
  }

  /** A new recorder plays to the head, hands off to itself, and goes on. */
  async takeOver(hints: FSMHints): Promise<void> {
    const author = this.#next() || 1
    const player = new Player({
      hints,
      journals: { [this.journal.name]: this.journal },
      target: nullTarget(),
    })
    player.injectHandoff(author)
    const { fsm } = await player.play()
    const contentChecksums = this.#recorder !== undefined
    this.#recorder = await Recorder.open({ journal: this.journal, fsm, author, contentChecksums })
    this.#pick(CALLS) // so that the moments of two recorders differ
    await this.#takeHints(`hints of author ${author} right at its hand-off`)
  }

  async record(): Promise<void> {
    for (let call = 0; call < CALLS; call++) {
      this.#call(call)
      if (this.#pick(12) === 0) await this.#takeHints(`hints after call ${call}`)
    }
    await this.#takeHints('hints at the end of a recorder')
  }

  /** One file is written seldom, another one much: between the writes of the first the log is worth a cut. */
  async recordGaps(): Promise<void> {
    this.#create()
    const quiet = [...this.#links.values()].at(-1) as number
    this.#create()
    const busy = [...this.#links.values()].at(-1) as number
    for (let i = 0; i < 4; i++) {
      this.#writeTo(quiet, 50)
      for (let j = 0; j < 8; j++) this.#writeTo(busy, 200)
    }
    await this.#active.barrier()
  }

  /** Hints with several segments of one author for a file, of a player that comes here from the last ones. */
  async takeCutHints(): Promise<void> {
    const machine = new FSM((this.moments.at(-1) as Moment).hints, CUTS)
    for (const { op, message, begin, end } of framesOf(await contentOf(this.journal))) {
      Object.assign(op, { log: this.journal.name, firstOffset: begin, lastOffset: end })
      machine.apply(op, message, 0, message.length)
    }
    this.moments.push({ name: `cut hints (${this.moments.length})`, hints: machine.buildHints() })
  }

  async close(): Promise<void> {
    await this.#active.close()
  }

  get tree(): TreeEntry[] {
    const files = [...this.#links].map(([path, fnode]) => ({ path, fnode, content: this.#content(fnode) }))
    if (this.#identity !== undefined) {
      files.push({ path: IDENTITY, fnode: 0, content: Buffer.from(this.#identity) })
    }
    const groups = new Map<number, number>()
    return files
      .sort((a, b) => (a.path < b.path ? -1 : 1))
      .map(({ path, fnode, content }) => {
        groups.set(fnode, groups.get(fnode) ?? groups.size + 1)
        const sha256 = createHash('sha256').update(content).digest('hex')
        return { path, size: content.length, sha256, linkGroup: groups.get(fnode) ?? 0 }
      })
  }

  get properties(): { path: string; content: string }[] {
    return this.#identity === undefined ? [] : [{ path: IDENTITY, content: this.#identity }]
  }

  get #active(): Recorder {
    if (this.#recorder === undefined) throw new Error('nobody has taken the log over')
    return this.#recorder
  }

  /** One call of any kind. The first ones of a recorder are one of each, so that no log is without. */
  #call(call: number): void {
    const kinds = [
      () => this.#create(),
      () => this.#create(),
      () => this.#write(),
      () => this.#link(),
      () => this.#property(),
      () => this.#rename(),
      () => this.#remove(),
      () => this.#truncate(),
      () => this.#shorten(),
      () => this.#write(),
      () => this.#write(),
    ]
    const kind = kinds[call < kinds.length ? call : this.#pick(kinds.length)] as () => void
    if (this.#links.size < 2) this.#create()
    else kind()
  }

  #create(): void {
    const path = this.#newPath()
    this.#begin(path, this.#active.create(path))
  }

  #write(): void {
    this.#writeTo(this.#links.get(this.#anyPath()) as number, this.#pick(200) + 1)
  }

  #writeTo(fnode: number, length: number): void {
    const before = this.#content(fnode)
    const offset = this.#pick(before.length + 40)
    const data = Buffer.from(Array.from({ length }, () => this.#pick(256)))
    this.#active.write(fnode, offset, data)
    const after = Buffer.alloc(Math.max(before.length, offset + data.length))
    before.copy(after)
    data.copy(after, offset)
    this.#contents.set(fnode, after)
  }

  #link(): void {
    const path = this.#anyPath()
    const to = this.#newPath()
    this.#active.link(path, to)
    this.#links.set(to, this.#links.get(path) as number)
  }

  #rename(): void {
    const from = this.#anyPath()
    const to = this.#pick(3) === 0 ? this.#anyPath() : this.#newPath()
    this.#active.rename(from, to)
    const fnode = this.#links.get(from) as number
    if (this.#links.get(to) === fnode) return // two names of one file: nothing happens
    this.#links.set(to, fnode)
    this.#links.delete(from)
  }

  #remove(): void {
    const path = this.#anyPath()
    this.#active.remove(path)
    this.#links.delete(path)
  }

  #truncate(): void {
    const path = this.#anyPath()
    this.#begin(path, this.#active.open(path, { truncate: true }))
  }

  /** A truncation that keeps all names of the file. */
  #shorten(): void {
    const before = this.#links.get(this.#anyPath()) as number
    const content = this.#content(before).subarray(0, this.#pick(this.#content(before).length + 1))
    const fnode = this.#active.replace(before, content.length, () => content)
    this.#contents.set(fnode, content)
    for (const [path, named] of this.#links) if (named === before) this.#links.set(path, fnode)
  }

  /** As a database does it: a file of its own first, which is then renamed onto the property. */
  #property(): void {
    const identity = `the machine of call ${this.#next()}`
    if (this.#pick(2) === 0) {
      this.#active.property(IDENTITY, identity)
    } else {
      const path = this.#newPath()
      const fnode = this.#active.create(path)
      this.#active.write(fnode, 0, Buffer.from(identity))
      this.#active.rename(path, IDENTITY, identity)
    }
    this.#identity = identity
  }

  #begin(path: string, fnode: number): void {
    this.#links.set(path, fnode)
    this.#contents.set(fnode, Buffer.alloc(0))
  }

  #content(fnode: number): Buffer {
    return this.#contents.get(fnode) ?? Buffer.alloc(0)
  }

  #anyPath(): string {
    const paths = [...this.#links.keys()].sort()
    return paths[this.#pick(paths.length)] as string
  }

  #newPath(): string {
    const folder = ['', '/db', '/db/wal', '/größe'][this.#pick(4)] as string
    return `${folder}/${String(this.#names++).padStart(4, '0')}`
  }

  #pick(below: number): number {
    return this.#next() % below
  }

  async #takeHints(name: string): Promise<void> {
    this.moments.push({ name: `${name} (${this.moments.length})`, hints: await this.#active.hints() })
  }
}

async function writeFolder(
  folder: string,
  name: string,
  { journal, moments, tree, properties }: History,
): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const pieces: Uint8Array[] = []
  for await (const { bytes } of journal.read({ offset: 0 })) pieces.push(bytes.slice())
  const log = Buffer.concat(pieces)
  writeFileSync(join(folder, '1.log'), log)
  const hints = moments.map((moment, i) => {
    const file = `hints-${i + 1}`
    writeFileSync(join(folder, `${file}.json`), hintsToJson(moment.hints))
    writeFileSync(join(folder, `${file}.pb`), hintsToProto(moment.hints))
    return { name: moment.name, json: `${file}.json`, pb: `${file}.pb` }
  })
  const about = 'two recorders of this library in one log, the second of which took it over from the first'
  const files = [{ begin: 0, end: log.length, file: '1.log' }]
  const logs = [{ journal: journal.name, head: log.length, files }]
  writeJson(folder, 'case.json', { about, name, logs, hints } satisfies LogCase & { about: string })
  const cases = hints.map(({ name: moment, json, pb }) => ({
    ...{ name: moment, hints: json, hintsPb: pb, outcome: 'OK' },
    ...{ tree, properties, jumps: [], desyncs: [] },
  }))
  writeJson(folder, 'expected.json', { about: 'what was asked of the recorders', cases })
}

function writeJson(folder: string, file: string, content: object): void {
  writeFileSync(join(folder, file), `${JSON.stringify(content)}\n`)
}
