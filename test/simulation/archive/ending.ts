import { ArchiveFile, decodeManifest, verifyArchive } from '../../../src/archive/index.ts'
import type { ArchiveManifest } from '../../../src/archive/index.ts'
import { readBlob } from '../../../src/blob/index.ts'
import type { StreamRecord } from '../../../src/coordinator/index.ts'
import { splitRecords } from '../../../src/wire/index.ts'
import { decodeLogEntry } from '../../../src/wire/logdog/index.ts'
import { sha256 } from '../../archive/archive-fixture.ts'
import type { ArchiveSimulation } from './archive-simulation.ts'
import { hex } from './sources.ts'
import type { Source } from './sources.ts'

/** Everything that is wrong once nothing is due any more. */
export async function faultsOfEnding(simulation: ArchiveSimulation): Promise<string[]> {
  const ending = new Ending(simulation)
  await ending.judge()
  return ending.faults
}

class Ending {
  readonly faults: string[] = []
  readonly #simulation: ArchiveSimulation

  constructor(simulation: ArchiveSimulation) {
    this.#simulation = simulation
  }

  async judge(): Promise<void> {
    const { errors, witness, sources } = this.#simulation
    this.faults.push(...errors.map(String), ...witness.faults)
    if (errors.length > 0) return
    for (const source of sources) await this.#judgeStream(source)
    const staged = await this.#keys('staging/')
    this.#expect(staged.length === 0, `left over: ${staged.join(', ')}`)
  }

  #expect(holds: boolean, what: string): void {
    if (!holds) this.faults.push(what)
  }

  async #judgeStream(source: Source): Promise<void> {
    const { path } = source
    const record = this.#simulation.witness.records.get(path)
    if (record === undefined) {
      this.#expect(source.acknowledged.size === 0, `${path} was acknowledged, and is not known`)
      return
    }
    const stored = await this.#stored(source)
    const isPurged = record.phase === 'purged'
    const isAsked = isPurged ? source.purge !== 'none' : source.purge !== 'answered'
    this.#expect(isAsked, `${path} is ${record.phase}, its purge: ${source.purge}`)
    this.#expect(record.claim === null, `${path} is still claimed`)
    switch (record.phase) {
      case 'purged': {
        const files = (await this.#keys('archive/')).filter((key) => key.includes(`${path}/`))
        this.#expect(files.length === 0, `${path} is purged, but there is ${files.join(', ')}`)
        this.#expect(stored.size === 0, `${path} is purged, but ${stored.size} entries are stored`)
        this.#expect(await this.#isSealed(source), `${path} is purged, and takes entries`)
        break
      }
      case 'quarantined': {
        const isWhy = source.damaged.length > 0 || source.isRotten
        this.#expect(isWhy, `${path} is in quarantine without need: ${String(record.reason)}`)
        this.#expect(source.isLeftQuarantined, `${path} was released from quarantine, and is back`)
        for (const [index, bytes] of source.acknowledged) {
          this.#expect(stored.get(index) === bytes, `${path} is in quarantine, entry ${index} is not kept`)
        }
        break
      }
      case 'cleaned':
        this.#expect(stored.size === 0, `${path} is cleaned, but ${stored.size} entries are stored`)
        this.#expect(await this.#isSealed(source), `${path} is archived, and takes entries`)
        this.#expect(
          source.damaged.length === 0 || source.isReleased,
          `${path} left damaged values out unasked`,
        )
        await this.#judgeArchive(source, record)
        break
      default:
        this.#expect(false, `${path} ends ${record.phase}`)
    }
  }

  async #judgeArchive(source: Source, record: StreamRecord): Promise<void> {
    const { path } = source
    const { rawBlobs } = this.#simulation.witness
    const folder = (record.archive?.entriesUrl ?? '').replace(/\/[^/]*$/, '')
    const report = await verifyArchive({ blobs: rawBlobs, sha256, folder })
    this.#expect(report.isGood, `${path}: ${JSON.stringify(report.faults)}`)
    if (!report.isGood) return
    const manifest = decodeManifest(await readBlob(rawBlobs, `${folder}/${ArchiveFile.meta}`))
    const archived = await this.#archived(path, folder)
    for (const [index, bytes] of archived) {
      const isSent = source.sent.get(index)?.has(bytes) === true
      this.#expect(isSent, `${path}: entry ${index} of the archive was never sent`)
    }
    const end = record.terminalIndex
    for (const [index, bytes] of source.acknowledged) {
      if (index > end || isTruncated(manifest, index)) continue
      this.#expect(
        archived.get(index) === bytes,
        `${path}: entry ${index} was acknowledged, and is not archived`,
      )
    }
    this.#judgeGaps(path, manifest, archived, end)
    this.#expect(record.archive?.entryCount === archived.size, `${path}: the count that was reported`)
  }

  #judgeGaps(
    path: string,
    manifest: ArchiveManifest,
    archived: ReadonlyMap<number, string>,
    end: number,
  ): void {
    const last = manifest.terminalIndex >= 0 ? manifest.terminalIndex : manifest.lastIndex
    const gaps = new Set(
      manifest.gaps.listed.flatMap(([first, to]) =>
        Array.from({ length: to - first + 1 }, (_, i) => first + i),
      ),
    )
    for (let index = 0; index <= Math.max(end, last); index++) {
      const isNamed = gaps.has(index) || isTruncated(manifest, index)
      this.#expect(archived.has(index) !== isNamed, `${path}: entry ${index}, named as a gap: ${isNamed}`)
    }
    const isComplete = manifest.terminalIndex >= 0 && archived.size === manifest.terminalIndex + 1
    this.#expect(manifest.complete === isComplete, `${path}: complete is ${manifest.complete}`)
  }

  async #archived(path: string, folder: string): Promise<Map<number, string>> {
    const { rawBlobs } = this.#simulation.witness
    const [, ...records] = splitRecords(await readBlob(rawBlobs, `${folder}/${ArchiveFile.entries}`))
    const archived = new Map<number, string>()
    for (const bytes of records) {
      const { streamIndex } = decodeLogEntry(bytes)
      this.#expect(!archived.has(streamIndex), `${path}: entry ${streamIndex} is archived twice`)
      archived.set(streamIndex, hex(bytes))
    }
    return archived
  }

  async #stored(source: Source): Promise<Map<number, string>> {
    const stored = new Map<number, string>()
    for await (const batch of this.#simulation.witness.storage.get({ stream: source.name })) {
      for (const { index, bytes } of batch) stored.set(index, hex(bytes))
    }
    return stored
  }

  async #isSealed(source: Source): Promise<boolean> {
    return this.#simulation.witness.storage.put({ stream: source.name, from: 0, entries: [] }).then(
      () => false,
      () => true,
    )
  }

  async #keys(prefix: string): Promise<string[]> {
    const keys: string[] = []
    for await (const { key } of this.#simulation.witness.rawBlobs.list(prefix)) keys.push(key)
    return keys
  }
}

function isTruncated({ truncated, lastIndex }: ArchiveManifest, index: number): boolean {
  return truncated !== null && index > lastIndex
}
