import { changeDocument, Coordinator, fromBase64, toBase64 } from '../coordinator/index.ts'
import type { CoordinatorParts, StateDocument, StoredDocument } from '../coordinator/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import { PREFIX_SECRET_BYTES, prefixId } from '../names/index.ts'

/**
 * What all writers of a prefix share: its secret, and its prefix indexes. Both are kept in the state store, in a document of
 * kind `source`, so that whoever writes under the prefix next goes on with them.
 */

const SOURCE_KIND = 'source'

interface SourceRecord {
  readonly secret: Uint8Array
  /** Below it all prefix indexes may have been used. */
  readonly nextPrefixIndex: number
}

export class PrefixSource {
  readonly secret: Uint8Array
  readonly #parts: CoordinatorParts
  readonly #project: string
  readonly #prefix: string
  readonly #block: number
  /** What is left of the reserved block. */
  #next = 0
  #end = 0
  #reserving: Promise<void> | undefined

  private constructor(
    parts: CoordinatorParts,
    { project, prefix, block }: { project: string; prefix: string; block: number },
    secret: Uint8Array,
  ) {
    this.#parts = parts
    this.#project = project
    this.#prefix = prefix
    this.#block = block
    this.secret = secret
  }

  /**
   * Registers the prefix, if nobody has. The secret is kept first and registered then: whoever dies in between has left it
   * for the next.
   *
   * @throws RecoveryLogError `NAME_INVALID`, `INVALID` as `registerPrefix`; what the state store says
   */
  static async open(
    parts: CoordinatorParts,
    place: { readonly project: string; readonly prefix: string; readonly block: number },
  ): Promise<PrefixSource> {
    const { project, prefix } = place
    const kept = await changeDocument(parts.streamStore, SOURCE_KIND, idOf(parts, place), {}, (stored) =>
      stored === undefined
        ? sourceDocument(place, { secret: parts.random(PREFIX_SECRET_BYTES), nextPrefixIndex: 0 })
        : undefined,
    )
    const { secret } = sourceRecord(kept as StoredDocument)
    // A coordinator takes a new prefix's secret from its randomness: so it is this one.
    const registrar = new Coordinator({ ...parts, random: () => new Uint8Array(secret) })
    try {
      await registrar.registerPrefix({ project, prefix })
    } catch (error) {
      if (!RecoveryLogError.is(error, 'ALREADY_EXISTS')) throw error
    }
    return new PrefixSource(parts, place, secret)
  }

  /** The next prefix index; undefined when some have to be reserved first. */
  take(): number | undefined {
    return this.#next < this.#end ? this.#next++ : undefined
  }

  /**
   * Makes sure that there is a next prefix index, and that none comes below `least`. Callers at the same time share it.
   *
   * @throws what the state store says
   */
  async reserve(least = 0): Promise<void> {
    while (this.#next >= this.#end || this.#next < least) {
      this.#reserving ??= this.#reserve(least).finally(() => {
        this.#reserving = undefined
      })
      await this.#reserving
    }
  }

  async #reserve(least: number): Promise<void> {
    const { streamStore } = this.#parts
    const place = { project: this.#project, prefix: this.#prefix }
    await changeDocument(streamStore, SOURCE_KIND, idOf(this.#parts, place), {}, (stored) => {
      const record = sourceRecord(stored as StoredDocument) // made when this was opened, and never removed
      this.#next = Math.max(record.nextPrefixIndex, least)
      return sourceDocument(place, { ...record, nextPrefixIndex: this.#next + this.#block })
    })
    this.#end = this.#next + this.#block
  }
}

interface Place {
  readonly project: string
  readonly prefix: string
}

function idOf({ sha256 }: Pick<CoordinatorParts, 'sha256'>, { project, prefix }: Place): string {
  return `${project}/${prefixId(prefix, sha256)}`
}

function sourceDocument(
  { project, prefix }: Place,
  { secret, nextPrefixIndex }: SourceRecord,
): StateDocument {
  const value = { secret: toBase64(secret), nextPrefixIndex }
  return { kind: SOURCE_KIND, project, name: prefix, dueMs: null, value }
}

/** @throws RecoveryLogError `CORRUPT` */
function sourceRecord({ project, name, value }: StoredDocument): SourceRecord {
  const { secret, nextPrefixIndex } = (value ?? {}) as { secret?: unknown; nextPrefixIndex?: unknown }
  const bytes = typeof secret === 'string' ? fromBase64(secret) : undefined
  if (bytes?.length === PREFIX_SECRET_BYTES && Number.isSafeInteger(nextPrefixIndex)) {
    return { secret: bytes, nextPrefixIndex: nextPrefixIndex as number }
  }
  throw new RecoveryLogError('CORRUPT', `what is kept for the prefix ${name} is damaged in the state store`, {
    project,
    prefix: name,
  })
}
