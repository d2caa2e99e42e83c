import { MemoryJournal } from '../../src/journal/index.ts'
import type {
  AppendRequest,
  Commit,
  Fragment,
  Head,
  Journal,
  JournalChunk,
  MemoryContent,
  ReadRequest,
} from '../../src/journal/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { DecoratedJournal } from '../../src/testing/index.ts'
import type { JournalSuiteSupports, JournalUnderTest } from '../../src/testing/index.ts'

/**
 * Journals that break one promise each. The suite must fail on each of them, and with tests of that promise alone.
 */
export interface BrokenJournal {
  readonly promise: string
  readonly how: string
  readonly supports: Partial<JournalSuiteSupports>
  readonly factory: () => JournalUnderTest
}

const NAME = 'broken/journal'
const FRAGMENT_BYTES = 50_000

function memory(): MemoryJournal {
  return new MemoryJournal({ name: NAME, fragmentBytes: FRAGMENT_BYTES })
}

/** One that is broken in one object, and in all that are opened on the same journal. */
function broken(
  promise: string,
  how: string,
  wrap: (inner: MemoryJournal) => Journal,
  more: (inner: MemoryJournal) => Partial<JournalUnderTest> = () => ({}),
  supports: Partial<JournalSuiteSupports> = {},
): BrokenJournal {
  return {
    promise,
    how,
    supports,
    factory: () => {
      const inner = memory()
      return {
        journal: wrap(inner),
        open: async () => wrap(inner.share()),
        recreate: async () => wrap(memory()),
        ...more(inner),
      }
    },
  }
}

/** What an engine does whose answers can be lost: it has appended, and the adapter does not know. */
class LossyEngine extends DecoratedJournal {
  isAnswerLost = false

  override async append(request: AppendRequest): Promise<Commit> {
    const commit = await super.append(request)
    if (!this.isAnswerLost) return commit
    this.isAnswerLost = false
    throw new RecoveryLogError('UNAVAILABLE', 'the answer is lost')
  }
}

class TornOnMismatch extends DecoratedJournal {
  override async append(request: AppendRequest): Promise<Commit> {
    try {
      return await super.append(request)
    } catch (error) {
      const isTorn = RecoveryLogError.is(error, 'REGISTER_MISMATCH') && request.content.length >= 70_000
      if (isTorn) await super.append({ content: request.content.subarray(0, 10_000) })
      throw error
    }
  }
}

class Overlapping extends DecoratedJournal {
  override async append(request: AppendRequest): Promise<Commit> {
    const commit = await super.append(request)
    return commit.end === 70_018 ? { ...commit, begin: commit.begin - 1 } : commit
  }
}

type Change = (chunk: JournalChunk) => JournalChunk

/** A read whose chunks are changed on their way. Not a generator: that could not be left while it waits. */
function changed(source: AsyncIterable<JournalChunk>, change: Change): AsyncIterable<JournalChunk> {
  return {
    [Symbol.asyncIterator]: () => {
      const iterator = source[Symbol.asyncIterator]()
      return {
        next: async () => {
          const result = await iterator.next()
          return result.done === true ? result : { done: false, value: change(result.value) }
        },
        return: () => iterator.return?.() ?? Promise.resolve({ done: true, value: undefined }),
      }
    },
  }
}

/** Hands out what it stores itself: the first 100 bytes of the journal, once they have been read alone. */
class SharedChunks extends DecoratedJournal {
  #stored: Uint8Array | undefined

  override read(request: ReadRequest): AsyncIterable<JournalChunk> {
    return changed(super.read(request), ({ offset, bytes }) => {
      if (offset > 0 || bytes.length < 100) return { offset, bytes }
      this.#stored ??= bytes.slice(0, 100)
      if (bytes.length === 100) return { offset, bytes: this.#stored }
      bytes.set(this.#stored)
      return { offset, bytes }
    })
  }
}

/** Answers before it has written. */
class LosesTheLast extends DecoratedJournal {
  readonly #memory: MemoryJournal
  #lastBegin = 0
  #again: MemoryJournal | undefined

  constructor(memory: MemoryJournal) {
    super(memory)
    this.#memory = memory
  }

  override async append(request: AppendRequest): Promise<Commit> {
    const commit = await super.append(request)
    this.#lastBegin = commit.begin
    return commit
  }

  again(): Journal {
    return this.#again ?? this.#memory.share()
  }

  async lose(): Promise<void> {
    const content: MemoryContent[] = []
    for await (const { offset, bytes } of super.read({ offset: 0 })) {
      if (offset >= this.#lastBegin) break
      content.push({ begin: offset, bytes: bytes.slice(0, this.#lastBegin - offset) })
    }
    const { registers } = await this.head()
    this.#again = new MemoryJournal({ name: this.name, id: this.id, content, registers })
  }
}

/** Checks registers first, and appends later. */
class CheckThenAppend extends DecoratedJournal {
  override async append({ check, ...request }: AppendRequest): Promise<Commit> {
    if (request.content.length === 0 || request.union?.[0]?.value.startsWith('new-') !== true) {
      return super.append({ ...request, ...(check && { check }) })
    }
    await super.append({ content: new Uint8Array(0), ...(check && { check }) })
    return super.append(request)
  }
}

class KeepsNoRegisters extends DecoratedJournal {
  override async head(options?: { readonly signal?: AbortSignal }): Promise<Head> {
    const { offset, registers } = await super.head(options)
    return { offset, registers: registers.some(({ name }) => name === 'zone') ? [] : registers }
  }
}

class RetriesBlindly extends DecoratedJournal {
  override async append(request: AppendRequest): Promise<Commit> {
    try {
      return await super.append(request)
    } catch (error) {
      if (RecoveryLogError.is(error, 'UNAVAILABLE')) return super.append(request)
      throw error
    }
  }
}

class GoesOnInDoubt extends DecoratedJournal {
  override async append(request: AppendRequest): Promise<Commit> {
    try {
      return await super.append(request)
    } catch (error) {
      if (!RecoveryLogError.is(error, 'UNAVAILABLE')) throw error
      throw new RecoveryLogError('OUTCOME_UNKNOWN', 'and the next append is taken', {}, { cause: error })
    }
  }
}

class EmptyNeverFails extends DecoratedJournal {
  override append({ check, ...request }: AppendRequest): Promise<Commit> {
    const isEmpty = request.content.length === 0
    return super.append({ ...request, ...(check && !isEmpty && { check }) })
  }
}

class SplitsLarge extends DecoratedJournal {
  override append(request: AppendRequest): Promise<Commit> {
    const { content, union } = request
    if (content.length <= this.maxAppendBytes || union === undefined) return super.append(request)
    const half = content.length >>> 1
    return super
      .append({ ...request, content: content.subarray(0, half) })
      .then(() => super.append({ content: content.subarray(half) }))
  }
}

class DropsAByte extends DecoratedJournal {
  override read(request: ReadRequest): AsyncIterable<JournalChunk> {
    return changed(super.read(request), ({ offset, bytes }) => {
      const isHit = offset === 100_012 && offset === request.offset
      return { offset, bytes: isHit ? bytes.subarray(1) : bytes }
    })
  }
}

/** Looks for the head before it waits, and not after: what comes between is missed for ever. */
class MissesAWake extends DecoratedJournal {
  override read(request: ReadRequest): AsyncIterable<JournalChunk> {
    return request.block === true && request.signal === undefined && request.offset === 0
      ? this.#stuck(request)
      : super.read(request)
  }

  async *#stuck(request: ReadRequest): AsyncIterable<JournalChunk> {
    for await (const chunk of super.read(request)) {
      yield chunk
      if (chunk.offset > 1_000) await new Promise(() => undefined)
    }
  }
}

class EndsAtTheHead extends DecoratedJournal {
  override read(request: ReadRequest): AsyncIterable<JournalChunk> {
    return super.read({ ...request, block: false })
  }
}

class Reorders extends DecoratedJournal {
  override async append(request: AppendRequest): Promise<Commit> {
    if (request.content.length === 100_000) await Promise.resolve()
    return super.append(request)
  }
}

class TakesThoseBehind extends DecoratedJournal {
  override async append(request: AppendRequest): Promise<Commit> {
    try {
      return await super.append(request)
    } catch (error) {
      const isBehind =
        error instanceof RecoveryLogError && error.cause !== undefined && request.check === undefined
      if (isBehind) return super.append(request)
      throw error
    }
  }
}

class ClosesTooEarly extends DecoratedJournal {
  override async append(request: AppendRequest): Promise<Commit> {
    const commit = await super.append(request)
    await new Promise((resolve) => setImmediate(resolve))
    return commit
  }
}

class StaysOpen extends DecoratedJournal {
  #isClosed = false

  override async head(options?: { readonly signal?: AbortSignal }): Promise<Head> {
    return this.#isClosed ? { offset: 0, registers: [] } : super.head(options)
  }

  override close(): Promise<void> {
    this.#isClosed = true
    return super.close()
  }
}

class RemovesTheHead extends DecoratedJournal {
  override async remove(fragment: Fragment): Promise<void> {
    const { offset } = await this.head()
    if (fragment.end !== offset) await super.remove(fragment)
  }
}

class ForgetsToRemove extends DecoratedJournal {
  override async remove(fragment: Fragment): Promise<void> {
    const listed = await this.fragments()
    if (listed.some(({ begin, end }) => begin === fragment.begin && end === fragment.end)) return
    await super.remove(fragment)
  }
}

class NameForAnId extends DecoratedJournal {
  override get id(): string {
    return this.name
  }
}

/** Damaged content, and whether the journal notices. */
class Damaged extends DecoratedJournal {
  damagedAt: number | undefined
  readonly #tells: boolean

  constructor(inner: Journal, tells: boolean) {
    super(inner)
    this.#tells = tells
  }

  override read(request: ReadRequest): AsyncIterable<JournalChunk> {
    return changed(super.read(request), ({ offset, bytes }) => {
      const at = (this.damagedAt ?? -1) - offset
      if (at >= 0 && at < bytes.length) {
        if (this.#tells) throw new RecoveryLogError('CORRUPT', 'somewhere', { journal: this.name })
        bytes[at] = (bytes[at] as number) ^ 0xff
      }
      return { offset, bytes }
    })
  }
}

function onLossyEngine(wrap: (engine: LossyEngine) => Journal): () => JournalUnderTest {
  return () => {
    const engine = new LossyEngine(memory())
    return { journal: wrap(engine), loseAnswer: () => (engine.isAnswerLost = true) }
  }
}

function damaged(tells: boolean): () => JournalUnderTest {
  return () => {
    const journal = new Damaged(memory(), tells)
    return { journal, damage: async (offset) => void (journal.damagedAt = offset) }
  }
}

const ALONE: Partial<JournalSuiteSupports> = { open: false, recreate: false }

export const BROKEN_JOURNALS: readonly BrokenJournal[] = [
  broken('J1', 'a refused append leaves a part of itself', (inner) => new TornOnMismatch(inner)),
  broken('J2', 'an append begins before the end of the last one', (inner) => new Overlapping(inner)),
  broken('J2', 'a reader can change what is stored', (inner) => new SharedChunks(inner)),
  {
    promise: 'J3',
    how: 'what was acknowledged last is gone after a kill',
    supports: { kill: true },
    factory: () => {
      const journal = new LosesTheLast(memory())
      return {
        journal,
        open: async () => journal.again(),
        kill: () => journal.lose(),
        recreate: async () => memory(),
      }
    },
  },
  broken(
    'J4',
    'registers are checked in one step and changed in the next',
    (inner) => new CheckThenAppend(inner),
  ),
  broken(
    'J4',
    'registers of the head are not those of the last append',
    (inner) => new KeepsNoRegisters(inner),
  ),
  {
    promise: 'J5',
    how: 'an append whose answer was lost is sent again',
    supports: { ...ALONE, loseAnswer: true },
    factory: onLossyEngine((engine) => new RetriesBlindly(engine)),
  },
  {
    promise: 'J5',
    how: 'after an unknown outcome the next append is taken',
    supports: { ...ALONE, loseAnswer: true },
    factory: onLossyEngine((engine) => new GoesOnInDoubt(engine)),
  },
  broken('J6', 'an empty append does not check registers', (inner) => new EmptyNeverFails(inner)),
  broken('J7', 'a large append is split behind the back of its caller', (inner) => new SplitsLarge(inner)),
  broken('J8', 'a read loses a byte', (inner) => new DropsAByte(inner)),
  broken('J9', 'a waiting read misses what comes while it looks', (inner) => new MissesAWake(inner)),
  broken('J9', 'a read never waits', (inner) => new EndsAtTheHead(inner)),
  broken('J10', 'a large append is overtaken by those behind it', (inner) => new Reorders(inner)),
  broken('J10', 'what was called behind a failure is taken', (inner) => new TakesThoseBehind(inner)),
  broken('J11', 'close does not wait for appends under way', (inner) => new ClosesTooEarly(inner)),
  broken('J11', 'a closed journal still answers', (inner) => new StaysOpen(inner)),
  broken('J12', 'the fragment at the head is removed without a word', (inner) => new RemovesTheHead(inner)),
  broken('J12', 'nothing is removed', (inner) => new ForgetsToRemove(inner)),
  broken('J13', 'a journal made anew has the id of the old one', (inner) => new NameForAnId(inner)),
  {
    promise: 'J14',
    how: 'damage is handed out',
    supports: { ...ALONE, damage: true },
    factory: damaged(false),
  },
  {
    promise: 'J14',
    how: 'damage is told without a place',
    supports: { ...ALONE, damage: true },
    factory: damaged(true),
  },
]
