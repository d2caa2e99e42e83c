import { randomBytes } from 'node:crypto'
import { RecoveryLogError } from '../../errors/index.ts'
import { conflictAt } from '../state-store.ts'
import type { JsonValue, StateDocument, StoredDocument } from '../state-store.ts'
import { RecordLog } from './record-log.ts'
import type { RecordState } from './record-log.ts'

/** A log with the revisions of one document: of those that follow the same one, the first counts. */

/** A log that is longer, in bytes, goes on with its last revision alone, if that is much less. */
const LONG_BYTES = 64 * 1024
const MUCH_LESS = 8

interface Revision extends StoredDocument {
  /** Names the write that has made it. */
  readonly write: string
}

/** Names the writes of this process. */
const owner = randomBytes(8).toString('hex')
let writes = 0

export class DocumentFile implements RecordState {
  readonly #folder: string
  readonly #log: RecordLog
  /** The latest revision that was read, in JSON, and its number. */
  #json = ''
  /** The same, until it is given away. */
  #parsed: Revision | undefined
  #revision = 0
  /** The last write of this process that has made one. */
  #made = ''

  constructor(folder: string, aside: string) {
    this.#folder = folder
    this.#log = new RecordLog(folder, aside, this)
  }

  /** The latest revision, or undefined when there is no document. It is the caller's. @throws RecoveryLogError `CORRUPT` */
  read(): StoredDocument | undefined {
    if (!this.#log.catchUp()) return undefined
    const { write, ...document } = this.#latest()
    return document
  }

  /** Waits until what was read is on the disk. */
  async settle(): Promise<void> {
    await this.#log.settle()
  }

  /**
   * Makes the revision behind `revision`, of which 0 makes the document; answers its number.
   *
   * @param announce is called with the number right before others may see it
   * @throws RecoveryLogError `CONFLICT`
   */
  async write(
    id: string,
    revision: number,
    document: StateDocument,
    announce: (revision: number) => void,
  ): Promise<number> {
    const { kind, project, name, dueMs, value } = document
    const lost = conflictAt(kind, id, revision)
    const latest = this.#log.catchUp() ? this.#revision : 0
    if (latest !== revision) throw lost
    const number = revision + 1
    const write = `${owner}-${++writes}`
    const record = { kind, id, revision: number, project, name, dueMs, value, write }
    announce(number)
    if (revision === 0) {
      if (!(await this.#log.create([record]))) throw lost
      return number
    }
    if (!this.#append(record)) throw lost
    await this.#log.sync()
    if (this.#log.bytes > Math.max(LONG_BYTES, MUCH_LESS * this.#json.length)) this.#log.rotate()
    return number
  }

  close(): void {
    this.#log.close()
  }

  begin(): void {
    this.#revision = 0
    this.#parsed = undefined
  }

  apply(json: string): void {
    const parsed = JSON.parse(json) as Revision
    const { revision, write } = parsed
    if (revision !== this.#revision + 1 && this.#revision !== 0) return // another has come before it
    this.#revision = revision
    this.#json = json
    this.#parsed = parsed
    if (write.startsWith(owner)) this.#made = write
  }

  snapshot(): readonly JsonValue[] {
    return [this.#latest() as unknown as JsonValue]
  }

  /** Appends a revision; answers whether it is the first to follow the one before it. */
  #append(record: Revision): boolean {
    for (;;) {
      this.#log.append(record as unknown as JsonValue)
      this.#log.catchUp()
      if (this.#made === record.write) return true
      if (this.#revision >= record.revision) return false
      // Behind an end it does not count, and is appended to the next file.
    }
  }

  #latest(): Revision {
    const parsed = this.#parsed ?? (this.#revision > 0 ? (JSON.parse(this.#json) as Revision) : undefined)
    this.#parsed = undefined
    if (parsed !== undefined) return parsed
    const message = `the log ${this.#folder} has lost its document`
    throw new RecoveryLogError('CORRUPT', message, { path: this.#folder })
  }
}
