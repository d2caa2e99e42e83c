import type { BlobStore } from '../blob/index.ts'
import { readBlob } from '../blob/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import { toHex } from '../names/index.ts'
import type { Sha256Factory } from '../parts/index.ts'
import { RecordReader } from '../wire/index.ts'
import { decodeDescriptor, decodeLogEntry } from '../wire/logdog/index.ts'
import type { LogEntry } from '../wire/logdog/index.ts'
import { ArchiveIndex } from './archive-index.ts'
import { ArchiveFile } from './locations.ts'
import { decodeManifest } from './manifest.ts'
import type { ArchiveManifest } from './manifest.ts'
import { rawContent } from './renderer.ts'
import { fileFacts } from './write-archive.ts'

/** Is an archive what its manifest says, and do its files say the same as one another? */

/** One thing that is wrong. */
export interface ArchiveFault {
  /** Of the file, such as `logstream.entries`. */
  readonly file: string
  readonly what: string
  /** Where in the file, when that is known. */
  readonly offset?: number
  readonly expected?: unknown
  readonly actual?: unknown
}

export interface VerifyReport {
  readonly isGood: boolean
  /** The first 100 of what is wrong. */
  readonly faults: readonly ArchiveFault[]
  /** How much is wrong in all. */
  readonly faultCount: number
  /** Absent when there is none that can be read. */
  readonly manifest: ArchiveManifest | undefined
  /** Entries that could be read. */
  readonly entryCount: number
}

export interface VerifyOptions {
  readonly blobs: Pick<BlobStore, 'get'>
  readonly sha256: Sha256Factory
  /** The archive's folder, without a slash at its end. */
  readonly folder: string
  readonly signal?: AbortSignal
}

const FAULTS_LISTED_MAX = 100

/**
 * Reads an archive through, and tells all that is wrong with it and where: what the files are against the manifest,
 * every frame and entry, their order, the index against the entries, and the data file against what the entries render
 * to. Memory does not depend on the archive's length, the index apart.
 *
 * @throws RecoveryLogError what the store throws when it cannot be read at all; what is missing or damaged is a fault
 */
export async function verifyArchive(options: VerifyOptions): Promise<VerifyReport> {
  return new Verification(options).run()
}

class Verification {
  readonly #options: VerifyOptions
  readonly #faults: ArchiveFault[] = []
  #faultCount = 0
  #manifest: ArchiveManifest | undefined
  #entryCount = 0
  #lastEntry: LogEntry | undefined

  constructor(options: VerifyOptions) {
    this.#options = options
  }

  async run(): Promise<VerifyReport> {
    await this.#guard(ArchiveFile.meta, async () => {
      this.#manifest = decodeManifest(
        await readBlob(this.#options.blobs, this.#key(ArchiveFile.meta), this.#signal()),
      )
    })
    await this.#checkFiles()
    const index = await this.#readIndex()
    const rendered = this.#options.sha256()
    await this.#checkEntries(index, rendered)
    this.#checkTotals(index)
    this.#checkData(toHex(rendered.digest()))
    return {
      isGood: this.#faultCount === 0,
      faults: this.#faults,
      faultCount: this.#faultCount,
      manifest: this.#manifest,
      entryCount: this.#entryCount,
    }
  }

  async #checkFiles(): Promise<void> {
    const { blobs, sha256, signal } = this.#options
    for (const [file, expected] of Object.entries(this.#manifest?.files ?? {})) {
      await this.#guard(file, async () => {
        const actual = await fileFacts(blobs, this.#key(file), sha256, signal)
        this.#expect(file, 'its size', expected.size, actual.size)
        this.#expect(file, 'its sha256', expected.sha256, actual.sha256)
      })
    }
  }

  async #readIndex(): Promise<ArchiveIndex | undefined> {
    let index: ArchiveIndex | undefined
    await this.#guard(ArchiveFile.index, async () => {
      index = ArchiveIndex.parse(
        await readBlob(this.#options.blobs, this.#key(ArchiveFile.index), this.#signal()),
      )
      if (index.descriptor !== undefined) decodeDescriptor(index.descriptor)
    })
    return index
  }

  /** Walks through the frames of the entries file, and beside them through the index. */
  async #checkEntries(index: ArchiveIndex | undefined, rendered: ReturnType<Sha256Factory>): Promise<void> {
    const file = ArchiveFile.entries
    const reader = new RecordReader()
    const indexed = index?.entries()
    let expected = indexed?.next()
    await this.#guard(file, async () => {
      let frameBegin = 0
      for await (const chunk of this.#options.blobs.get(this.#key(file), this.#signal())) {
        for (const data of reader.push(chunk)) {
          if (frameBegin === 0) this.#checkDescriptor(data, index)
          else this.#checkEntry(data, frameBegin, rendered)
          if (expected?.done === false && expected.value.offset <= frameBegin) {
            const { offset, streamIndex } = expected.value
            this.#expect(ArchiveFile.index, `where entry ${streamIndex} lies`, frameBegin, offset, offset)
            this.#expect(
              ArchiveFile.index,
              `the entry at ${offset}`,
              this.#lastEntry?.streamIndex,
              streamIndex,
              offset,
            )
            expected = indexed?.next()
          }
          frameBegin = reader.offset
        }
      }
      reader.end()
    })
    if (expected?.done === false) {
      const { offset, streamIndex } = expected.value
      this.#fault({ file: ArchiveFile.index, what: `entry ${streamIndex} is not where it says`, offset })
    }
  }

  #checkDescriptor(data: Uint8Array, index: ArchiveIndex | undefined): void {
    this.#guardSync(ArchiveFile.entries, 0, () => decodeDescriptor(data))
    if (index?.descriptor === undefined) return
    this.#expect(ArchiveFile.index, 'its descriptor', toHex(data), toHex(index.descriptor))
  }

  #checkEntry(data: Uint8Array, offset: number, rendered: ReturnType<Sha256Factory>): void {
    this.#guardSync(ArchiveFile.entries, offset, () => {
      const entry = decodeLogEntry(data)
      const before = this.#lastEntry
      if (before !== undefined) {
        for (const field of ['prefixIndex', 'streamIndex', 'sequence'] as const) {
          if (entry[field] >= before[field]) continue
          const what = `the ${field} falls`
          this.#fault({
            file: ArchiveFile.entries,
            what,
            offset,
            expected: before[field],
            actual: entry[field],
          })
        }
      }
      this.#lastEntry = entry
      this.#entryCount++
      for (const piece of rawContent(entry)) rendered.update(piece)
    })
  }

  #checkTotals(index: ArchiveIndex | undefined): void {
    const last = this.#lastEntry
    if (index !== undefined) {
      const { lastPrefixIndex, lastStreamIndex, logEntryCount } = index.totals
      this.#expect(ArchiveFile.index, 'its count of entries', this.#entryCount, logEntryCount)
      this.#expect(ArchiveFile.index, 'its last stream index', last?.streamIndex ?? 0, lastStreamIndex)
      this.#expect(ArchiveFile.index, 'its last prefix index', last?.prefixIndex ?? 0, lastPrefixIndex)
    }
    if (this.#manifest === undefined) return
    this.#expect(ArchiveFile.meta, 'its count of entries', this.#entryCount, this.#manifest.entryCount)
    this.#expect(ArchiveFile.meta, 'its last index', last?.streamIndex ?? -1, this.#manifest.lastIndex)
  }

  #checkData(sha256: string): void {
    for (const [file, facts] of Object.entries(this.#manifest?.files ?? {})) {
      if (file === ArchiveFile.entries || file === ArchiveFile.index) continue
      this.#expect(file, 'what the entries render to', sha256, facts.sha256)
    }
  }

  /** Runs `body`; what is missing or damaged becomes a fault of `file`. */
  async #guard(file: string, body: () => Promise<void>): Promise<void> {
    try {
      await body()
    } catch (error) {
      this.#faultOf(file, undefined, error)
    }
  }

  #guardSync(file: string, offset: number, body: () => void): void {
    try {
      body()
    } catch (error) {
      this.#faultOf(file, offset, error)
    }
  }

  #faultOf(file: string, offset: number | undefined, error: unknown): void {
    const isFault =
      error instanceof RecoveryLogError && (error.kind === 'corrupt' || error.code === 'NOT_FOUND')
    if (!isFault) throw error
    const place = offset ?? error.data['offset']
    this.#fault({ file, what: error.message, ...(typeof place === 'number' ? { offset: place } : {}) })
  }

  #expect(file: string, what: string, expected: unknown, actual: unknown, offset?: number): void {
    if (expected !== actual) {
      this.#fault({ file, what, expected, actual, ...(offset === undefined ? {} : { offset }) })
    }
  }

  #fault(fault: ArchiveFault): void {
    this.#faultCount++
    if (this.#faults.length < FAULTS_LISTED_MAX) this.#faults.push(fault)
  }

  #key(file: string): string {
    return `${this.#options.folder}/${file}`
  }

  #signal(): { signal?: AbortSignal } {
    const { signal } = this.#options
    return signal === undefined ? {} : { signal }
  }
}
