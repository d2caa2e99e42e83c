/** A journal whose appends wait for their go, and a file system that fails or falls short when it is told to. */
import type { AppendRequest, Commit, Journal } from '../../../src/journal/index.ts'
import { Deferred } from '../../../src/async/index.ts'
import type { NodeFileSystem } from '../../../src/recorder/fs/index.ts'

/** Over another journal: without `appendSync`, and with appends that are held until `release` or failed by `fail`. */
export class HeldJournal implements Journal {
  readonly supports
  readonly #journal: Journal
  readonly #held: { request: AppendRequest; answer: Deferred<Commit> }[] = []
  isHolding = false
  failure: Error | undefined

  constructor(journal: Journal, appendSync = false) {
    this.#journal = journal
    this.supports = { prune: false, appendSync }
    if (appendSync) this.appendSync = (request) => (journal as Required<Journal>).appendSync(request)
  }

  appendSync?: (request: AppendRequest) => Commit

  get name(): string {
    return this.#journal.name
  }

  get id(): string {
    return this.#journal.id
  }

  get maxAppendBytes(): number {
    return this.#journal.maxAppendBytes
  }

  get durability(): Journal['durability'] {
    return this.#journal.durability
  }

  head(): ReturnType<Journal['head']> {
    return this.#journal.head()
  }

  append(request: AppendRequest): Promise<Commit> {
    if (this.failure !== undefined) return Promise.reject(this.failure)
    if (!this.isHolding) return this.#journal.append(request)
    const answer = new Deferred<Commit>()
    this.#held.push({ request, answer })
    return answer.promise
  }

  release(): void {
    this.isHolding = false
    for (const { request, answer } of this.#held.splice(0)) answer.resolve(this.#journal.append(request))
  }

  fail(error: Error): void {
    this.failure = error
    for (const { answer } of this.#held.splice(0)) answer.reject(error)
  }

  read(request: Parameters<Journal['read']>[0]): ReturnType<Journal['read']> {
    return this.#journal.read(request)
  }

  close(): Promise<void> {
    return this.#journal.close()
  }
}

export interface Fault {
  /** The function it happens in, such as `writeSync`. */
  readonly call: string
  /** Calls that go well before. */
  after: number
  /** The error's code; without one a write writes this many bytes only. */
  readonly code?: string
  readonly bytes?: number
}

/** A file system in which `faults` happen, each once. */
export function faulty(fs: NodeFileSystem, faults: Fault[]): NodeFileSystem {
  return new Proxy(fs, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown
      if (typeof member !== 'function') return member
      return (...args: unknown[]): unknown => {
        const index = faults.findIndex(({ call }) => call === name)
        const fault = faults[index]
        if (fault === undefined || fault.after-- > 0) return Reflect.apply(member, target, args) as unknown
        faults.splice(index, 1)
        if (fault.code !== undefined) {
          const error = new Error(`${fault.code}: injected, ${String(name)}`)
          throw Object.assign(error, { code: fault.code, errno: -5, syscall: String(name) })
        }
        if (Array.isArray(args[1])) {
          const first = (args[1] as Uint8Array[])[0] as Uint8Array
          return Reflect.apply(fs.writeSync, target, [args[0], first, 0, fault.bytes, args[2]]) as unknown
        }
        return Reflect.apply(member, target, [args[0], args[1], args[2], fault.bytes, args[4]]) as unknown
      }
    },
  })
}
