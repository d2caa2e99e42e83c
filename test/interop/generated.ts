import assert from 'node:assert/strict'
import { ArchiveEncoder, archiveSettings } from '../../src/archive/index.ts'
import type { ArchiveSettings } from '../../src/archive/index.ts'
import { decodeLogIndex, encodeDescriptor, encodeLogEntry } from '../../src/wire/logdog/index.ts'
import type { LogEntry } from '../../src/wire/logdog/index.ts'
import { casesOf, descriptorFrom, expectKeys, fromHex, hexOf, sha256Hex } from './archive-cases.ts'
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

/** Entry i of the long archives; the index is the same or shifted, the rest is told by i. */
function generatedEntry(i: number, first: number): LogEntry {
  const line = `line ${String(i).padStart(8, '0')} `.padEnd(80, 'x')
  return {
    timeOffset: { seconds: Math.floor(i / 1000), nanos: (i % 1000) * 1_000_000 },
    prefixIndex: first + i,
    streamIndex: first + i,
    sequence: first + i,
    content: { kind: 'text', lines: [{ value: Buffer.from(line), delimiter: '\n' }] },
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
  for (let i = 0; i < vector.count; i++) encoder.add(generatedEntry(i, vector.first))
  encoder.finish()
  const entries = Buffer.concat(encoder.entries.take(true))
  const index = Buffer.concat(encoder.index.take(true))
  assert.equal(entries.length, vector.entries.bytes)
  assert.equal(sha256Hex(entries), vector.entries.sha256)
  assert.equal(index.length, vector.index.bytes)
  assert.equal(sha256Hex(index), vector.index.sha256)
  assert.equal(decodeLogIndex(index).entries.length, vector.index.entries)
}
