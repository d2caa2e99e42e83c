import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { ArchiveEncoder, archiveSettings } from '../../src/archive/index.ts'
import type { ArchiveSettings } from '../../src/archive/index.ts'
import { decodeLogIndex, encodeDescriptor, encodeLogEntry } from '../../src/wire/logdog/index.ts'
import type { LogEntry } from '../../src/wire/logdog/index.ts'
import { casesOf, descriptorFrom, expectKeys, fromHex, hexOf } from './archive-cases.ts'
import type { DescriptorFields } from './archive-cases.ts'
import type { VectorRun, VectorSuite } from './vector-run.ts'

const FILE = 'archive/generated.json'

interface Case {
  readonly name: string
  readonly first: number
  readonly count: number
  readonly params: Pick<ArchiveSettings, 'streamIndexRange' | 'prefixIndexRange' | 'byteRange'>
  readonly entries: { readonly bytes: number; readonly sha256: string }
  readonly index: { readonly bytes: number; readonly sha256: string; readonly entries: number }
}

const line = { value: new Uint8Array(Buffer.from('line 00000000 '.padEnd(80, 'x'))), delimiter: '\n' }

/** Entry i of the long archives: its text and time are told by i alone. The same line is filled anew every time. */
function generatedEntry(i: number, first: number): LogEntry {
  for (let digit = 12, rest = i; digit >= 5; digit--, rest = Math.floor(rest / 10)) {
    line.value[digit] = 0x30 + (rest % 10)
  }
  return {
    timeOffset: { seconds: Math.floor(i / 1000), nanos: (i % 1000) * 1_000_000 },
    prefixIndex: first + i,
    streamIndex: first + i,
    sequence: first + i,
    content: { kind: 'text', lines: [line] },
  }
}

/** Long archives by rule, as sizes and sha256. */
export const suite: VectorSuite = {
  file: FILE,
  async run(run: VectorRun) {
    const file = run.json<{
      readonly descriptor: DescriptorFields
      readonly descriptor_hex: string
      readonly entry_0_hex: string
      readonly entry_123456_hex: string
    }>(FILE)
    const descriptor = encodeDescriptor(descriptorFrom(file.descriptor))
    for (const vector of casesOf<Case>(run, FILE, [
      'descriptor',
      'descriptor_hex',
      'entry_0_hex',
      'entry_123456_hex',
    ])) {
      await run.check(FILE, vector.name, 'equal to Go', () => {
        assert.equal(hexOf(descriptor), file.descriptor_hex)
        assert.equal(hexOf(encodeLogEntry(generatedEntry(0, 0))), file.entry_0_hex)
        assert.equal(hexOf(encodeLogEntry(generatedEntry(123_456, 0))), file.entry_123456_hex)
        check(vector, fromHex(file.descriptor_hex))
      })
    }
  },
}

function check(vector: Case, descriptor: Uint8Array): void {
  expectKeys(vector, 'name', 'first', 'count', 'params', 'entries', 'index')
  const encoder = new ArchiveEncoder({
    descriptor,
    terminalIndex: -1,
    settings: archiveSettings(vector.params),
  })
  const entries = new FileSum(encoder.entries)
  const index = new FileSum(encoder.index)
  for (let i = 0; i < vector.count; i++) {
    encoder.add(generatedEntry(i, vector.first))
    if (encoder.fullBytes > 0) for (const file of [entries, index]) file.take()
  }
  encoder.finish()
  for (const file of [entries, index]) file.take(true)
  assert.deepEqual(entries.facts(), vector.entries)
  const { entries: rows, ...facts } = vector.index
  assert.deepEqual(index.facts(), facts)
  assert.equal(decodeLogIndex(index.bytes()).entries.length, rows)
}

/** What goes into a file, as a sum; a long archive is not kept. */
class FileSum {
  readonly #sink: ArchiveEncoder['index']
  readonly #hash = createHash('sha256')
  readonly #chunks: Uint8Array[] = []
  #bytes = 0

  constructor(sink: ArchiveEncoder['index']) {
    this.#sink = sink
  }

  take(all = false): void {
    for (const chunk of this.#sink.take(all)) {
      this.#hash.update(chunk)
      this.#bytes += chunk.length
      if (chunk.length <= 64 * 1024) this.#chunks.push(new Uint8Array(chunk))
      this.#sink.recycle(chunk)
    }
  }

  facts(): { bytes: number; sha256: string } {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') }
  }

  /** Of an index, whose chunks are small, the whole. */
  bytes(): Uint8Array {
    return Buffer.concat(this.#chunks)
  }
}
