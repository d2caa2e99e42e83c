import type { LogStreamState } from '../coordinator/index.ts'
import type { CallIdentity, SharedCall } from './shared-call.ts'

/** A failure that will come again for the same call. */
export interface KeptFailure {
  /** Its secret is the cache's own. */
  readonly identity: CallIdentity
  readonly rejection: Promise<never>
}

const NONE: readonly never[] = []

/** What is known of one stream, and what is being asked about it. */
export class CacheEntry {
  readonly project: string
  readonly path: string
  /** When what is known is forgotten; Infinity when nothing is. */
  expiresMs = Infinity
  state: LogStreamState | undefined = undefined
  /** -1: not known. */
  terminalIndex = -1
  /** The last of each call. */
  failures: readonly KeptFailure[] = NONE
  underWay: readonly SharedCall<unknown>[] = NONE
  /** Neighbours in the list of entries that can be dropped; itself while it is not in it. */
  newer: CacheEntry = this
  older: CacheEntry = this

  constructor(project: string, path: string) {
    this.project = project
    this.path = path
  }

  get isBusy(): boolean {
    return this.underWay.length > 0
  }

  get isKept(): boolean {
    return this.expiresMs !== Infinity
  }

  forget(): void {
    this.expiresMs = Infinity
    this.state = undefined
    this.terminalIndex = -1
    this.failures = NONE
  }

  keepFailure(failure: KeptFailure): void {
    const isRegistration = failure.identity.terminalIndex < 0
    const ofTheOther = this.failures.filter(({ identity }) => identity.terminalIndex < 0 !== isRegistration)
    this.failures = [...ofTheOther, failure]
  }

  end(call: SharedCall<unknown>): void {
    this.underWay = this.underWay.length === 1 ? NONE : this.underWay.filter((other) => other !== call)
  }
}

/** Entries in the order of their use: a ring, whose own end lies between the newest and the oldest. */
export class RecentEntries {
  readonly #end = new CacheEntry('', '')
  #length = 0

  get length(): number {
    return this.#length
  }

  get oldest(): CacheEntry {
    return this.#end.newer
  }

  add(entry: CacheEntry): void {
    insert(entry, this.#end)
    this.#length++
  }

  /** Makes `entry` the newest, when it is in the list. */
  touch(entry: CacheEntry): void {
    if (entry.newer === this.#end || entry.newer === entry) return
    unlink(entry)
    insert(entry, this.#end)
  }

  /** Does nothing when `entry` is not in the list. */
  remove(entry: CacheEntry): void {
    if (entry.newer === entry) return
    unlink(entry)
    entry.newer = entry.older = entry
    this.#length--
  }
}

function insert(entry: CacheEntry, end: CacheEntry): void {
  entry.newer = end
  entry.older = end.older
  end.older.newer = entry
  end.older = entry
}

function unlink(entry: CacheEntry): void {
  entry.newer.older = entry.older
  entry.older.newer = entry.newer
}
