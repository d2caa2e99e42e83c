/**
 * Where sets of hints are kept (durable-directory spec, section 3). One store serves one directory. All of the rules
 * live in `HintsStore`; a back end only keeps named bytes, and creates a name exclusively.
 */
import { throwIfAborted } from '../async/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import { compareSince, decodeHintsSet, encodeHintsSet, type HintsSet } from './hints-set.ts'
import { decodePin, encodePin, type HintsPin } from './hints-pin.ts'

/** How many sets that were recovered from are kept behind the newest one. */
export const HINTS_BACKUPS_DEFAULT = 2
/** Each lost race means that somebody else has saved; more of them in a row than this is no race. */
const SAVE_TRIES_MAX = 64

const SET_NAME = /^set-(\d{16})$/
const PIN_NAME = /^pin-(.+)$/

/** Named bytes that survive as long as the hints should. Names are of `[a-z0-9-]`, at most 200 of them. */
export interface HintsBackend {
  names(): Promise<readonly string[]>
  /** undefined when there is none of that name. The bytes belong to the caller. */
  read(name: string): Promise<Uint8Array | undefined>
  /** All or nothing, durable when it resolves; false when the name exists. Of racing calls exactly one wins. */
  create(name: string, bytes: Uint8Array): Promise<boolean>
  /** All or nothing, durable when it resolves; in place of what was there. */
  replace(name: string, bytes: Uint8Array): Promise<void>
  /** No error when there is none. */
  remove(name: string): Promise<void>
  close(): Promise<void>
}

/** A stored set, or why it cannot be used. */
export type StoredHints =
  | { readonly key: string; readonly set: HintsSet; readonly error?: undefined }
  | { readonly key: string; readonly set?: undefined; readonly error: RecoveryLogError }

export interface SaveOptions {
  /** The key of the set that the directory was recovered from: it is kept as a backup. */
  readonly recoveredFrom?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface HintsStoreOptions {
  readonly backend: HintsBackend
  /** Sets kept behind the newest one. Default 2. */
  readonly backups?: number
}

/** Sets of hints, newest first; one newest and a few backups, the ones that were last recovered from. */
export class HintsStore {
  readonly #backend: HintsBackend
  readonly #backupsMax: number

  constructor(options: HintsStoreOptions) {
    const backups = options.backups ?? HINTS_BACKUPS_DEFAULT
    if (!Number.isSafeInteger(backups) || backups < 0) {
      throw new RangeError(`backups: expected an integer >= 0, got ${String(backups)}`)
    }
    this.#backend = options.backend
    this.#backupsMax = backups
  }

  /** The stored sets: the newest first, then its backups, newest first. Unreadable ones are told, not hidden. */
  async load(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<readonly StoredHints[]> {
    const stored: StoredHints[] = []
    let kept: readonly string[] | undefined
    for (const key of await this.#keys()) {
      throwIfAborted(options.signal)
      if (kept?.includes(key) === false) continue // a leftover of a save that was cut short
      const bytes = await this.#backend.read(key)
      if (bytes === undefined) continue // replaced meanwhile
      try {
        const { set, backups } = decodeHintsSet(key, bytes)
        kept ??= backups
        stored.push({ key, set })
      } catch (error) {
        if (!RecoveryLogError.is(error)) throw error
        stored.push({ key, error })
      }
    }
    return stored
  }

  /**
   * Stores a set as the newest one, and answers its key.
   * @throws `HINTS_CONFLICT` when the newest stored set is of a later owner: whoever saves has been fenced.
   */
  async save(set: HintsSet, options: SaveOptions = {}): Promise<string> {
    for (let tries = 0; tries < SAVE_TRIES_MAX; tries++) {
      throwIfAborted(options.signal)
      const keys = await this.#keys()
      const newest = await this.#newest(keys)
      if (newest !== undefined && isOfLaterOwner(newest.set, set)) {
        throw new RecoveryLogError('HINTS_CONFLICT', 'the stored hints are of a later owner', {
          stored: newest.set.since,
          saved: set.since,
          key: newest.key,
        })
      }
      const backups = this.#backupsAfter(keys, newest?.backups ?? keys, options.recoveredFrom)
      const key = keyOf(revisionOf(keys[0]) + 1)
      if (!(await this.#backend.create(key, encodeHintsSet(set, backups)))) continue
      for (const old of keys) if (!backups.includes(old)) await this.#backend.remove(old)
      return key
    }
    throw new RecoveryLogError('UNAVAILABLE', 'too many others save hints to this store', {
      tries: SAVE_TRIES_MAX,
    })
  }

  /**
   * Removes one backup; no error when there is none of that key.
   * @throws `CONFLICT` for the newest set: a directory without hints would read its whole log.
   */
  async remove(key: string): Promise<void> {
    const [newest] = await this.#keys()
    if (key === newest) throw new RecoveryLogError('CONFLICT', 'the newest hints are not removed', { key })
    if (SET_NAME.test(key)) await this.#backend.remove(key)
  }

  /** Makes pruning keep what a reader needs, or renews that. */
  async pin(pin: HintsPin): Promise<void> {
    await this.#backend.replace(`pin-${pin.id}`, encodePin(pin))
  }

  async unpin(id: string): Promise<void> {
    await this.#backend.remove(`pin-${id}`)
  }

  /** All pins, the expired ones too: whoever prunes decides by its clock, and tells of them. */
  async pins(): Promise<readonly HintsPin[]> {
    const pins: HintsPin[] = []
    for (const name of await this.#backend.names()) {
      if (!PIN_NAME.test(name)) continue
      const bytes = await this.#backend.read(name)
      if (bytes !== undefined) pins.push(decodePin(name, bytes))
    }
    return pins
  }

  close(): Promise<void> {
    return this.#backend.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Newest first. */
  async #keys(): Promise<string[]> {
    const names = await this.#backend.names()
    return names
      .filter((name) => SET_NAME.test(name))
      .sort()
      .reverse()
  }

  /** The newest set that can be read: it is the one whose owner a save is compared with. */
  async #newest(keys: readonly string[]) {
    for (const key of keys) {
      const bytes = await this.#backend.read(key)
      if (bytes === undefined) continue
      try {
        return { key, ...decodeHintsSet(key, bytes) }
      } catch (error) {
        if (!RecoveryLogError.is(error)) throw error
      }
    }
    return undefined
  }

  /** The set just recovered from comes first; the oldest backups go. */
  #backupsAfter(
    keys: readonly string[],
    before: readonly string[],
    recoveredFrom: string | undefined,
  ): string[] {
    const backups = before.filter((key) => key !== recoveredFrom && keys.includes(key))
    if (recoveredFrom !== undefined && keys.includes(recoveredFrom)) backups.unshift(recoveredFrom)
    return backups.slice(0, this.#backupsMax)
  }
}

/**
 * Two who change to new logs at once begin the same generation at the same offset: the first to save is then the later
 * owner for the second, which must look whether it has been fenced.
 */
function isOfLaterOwner(stored: HintsSet, saved: HintsSet): boolean {
  const order = compareSince(stored.since, saved.since)
  return order > 0 || (order === 0 && stored.author !== saved.author)
}

function keyOf(revision: number): string {
  return `set-${String(revision).padStart(16, '0')}`
}

function revisionOf(key: string | undefined): number {
  return key === undefined ? 0 : Number(SET_NAME.exec(key)?.[1])
}
