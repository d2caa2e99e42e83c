import assert from 'node:assert/strict'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { encodeRecord, RecordReader, splitRecords, varintLength } from '../../src/wire/index.ts'
import { casesOf, expectKeys, fromHex, hexOf, isSafe, sha256Hex } from './archive-cases.ts'
import type { Rule, VectorRun, VectorSuite } from './vector-run.ts'

const FILE = 'archive/recordio.json'

type Case = { readonly name: string; readonly doubtful?: string } & (
  | {
      readonly kind: 'frame'
      readonly data_hex: string
      readonly frame_hex: string
      readonly header_bytes: number
    }
  | {
      readonly kind: 'frame_rule'
      readonly data_rule: { readonly length: number; readonly mul: number; readonly add: number }
      readonly header_hex: string
      readonly frame_bytes: number
      readonly frame_sha256: string
    }
  | { readonly kind: 'stream'; readonly frames_hex: readonly string[]; readonly stream_hex: string }
  | { readonly kind: 'header_size'; readonly length: number | string; readonly header_bytes: number }
  | {
      readonly kind: 'writer'
      readonly calls: readonly { readonly write_hex?: string; readonly flush?: boolean }[]
      readonly output_hex: string
      readonly output_before_last_flush_hex: string
    }
  | {
      readonly kind: 'read'
      readonly input_hex: string
      readonly max_size: number
      readonly frames_hex: readonly string[]
      readonly end: string
    }
  | {
      readonly kind: 'split'
      readonly input_hex: string
      readonly records_hex: readonly string[]
      readonly end: string
    }
)

/** The keys of each kind, beside `name`, `kind` and `doubtful`. */
const KEYS: Readonly<Record<Case['kind'], readonly string[]>> = {
  frame: ['data_hex', 'frame_hex', 'header_bytes'],
  frame_rule: ['data_rule', 'header_hex', 'frame_bytes', 'frame_sha256'],
  stream: ['frames_hex', 'stream_hex'],
  header_size: ['length', 'header_bytes'],
  writer: ['calls', 'output_hex', 'output_before_last_flush_hex'],
  read: ['input_hex', 'max_size', 'frames_hex', 'end'],
  split: ['input_hex', 'records_hex', 'end'],
}

/** RecordIO, written, read at every split point, and split. */
export const suite: VectorSuite = {
  file: FILE,
  async run(run: VectorRun) {
    for (const vector of casesOf<Case>(run, FILE)) {
      await run.check(FILE, vector.name, ruleOf(vector), () => {
        const keys = (KEYS as Partial<typeof KEYS>)[vector.kind]
        assert(keys !== undefined, `an unknown kind ${vector.kind}`)
        expectKeys(vector, 'name', 'kind', 'doubtful', ...keys)
        check(vector)
      })
    }
  },
}

function ruleOf(vector: Case): Rule {
  if (vector.doubtful !== undefined) return 'doubtful'
  return 'end' in vector && vector.end !== 'END' && vector.end !== 'OK' ? 'typed error' : 'equal to Go'
}

function check(vector: Case): void {
  switch (vector.kind) {
    case 'frame': {
      const data = fromHex(vector.data_hex)
      assert.equal(hexOf(encodeRecord(data)), vector.frame_hex)
      assert.equal(varintLength(data.length), vector.header_bytes)
      return
    }
    case 'frame_rule': {
      const { length, mul, add } = vector.data_rule
      const frame = encodeRecord(Uint8Array.from({ length }, (_, i) => i * mul + add))
      assert.equal(frame.length, vector.frame_bytes)
      assert.equal(hexOf(frame.subarray(0, frame.length - length)), vector.header_hex)
      assert.equal(sha256Hex(frame), vector.frame_sha256)
      return
    }
    case 'stream':
      assert.equal(
        vector.frames_hex.map((hex) => hexOf(encodeRecord(fromHex(hex)))).join(''),
        vector.stream_hex,
      )
      return
    case 'header_size':
      // A length from 2^53 on is none that anything in memory has.
      if (isSafe(vector.length)) assert.equal(varintLength(vector.length), vector.header_bytes)
      else assert(!Number.isSafeInteger(Number(vector.length)))
      return
    case 'writer':
      checkWriter(vector)
      return
    case 'read':
      checkRead(vector)
      return
    case 'split':
      checkSplit(vector)
  }
}

/** Go's buffered writer: what was written before a flush is one frame. */
function checkWriter(vector: Case & { kind: 'writer' }): void {
  let output = ''
  let before = ''
  let open = ''
  for (const call of vector.calls) {
    open += call.write_hex ?? ''
    if (call.flush !== true) continue
    before = output
    output += hexOf(encodeRecord(fromHex(open)))
    open = ''
  }
  assert.equal(before, vector.output_before_last_flush_hex)
  assert.equal(output, vector.output_hex)
}

function checkRead(vector: Case & { kind: 'read' }): void {
  // Doubtful is an end right behind a header, which Go takes for a clean one: ours is UNEXPECTED_END.
  if (vector.doubtful !== undefined) assert.equal(vector.end, 'END')
  const end = vector.doubtful === undefined ? vector.end : 'UNEXPECTED_END'
  const input = fromHex(vector.input_hex)
  for (let split = 0; split <= input.length; split++) {
    const read = readAll([input.subarray(0, split), input.subarray(split)], vector.max_size)
    assert.deepEqual(read, { frames: vector.frames_hex, end }, `split at ${String(split)}`)
  }
  const bytes = Array.from(input, (byte) => Uint8Array.of(byte))
  assert.deepEqual(readAll(bytes, vector.max_size), { frames: vector.frames_hex, end }, 'byte by byte')
}

function readAll(chunks: readonly Uint8Array[], maxRecordBytes: number): { frames: string[]; end: string } {
  const reader = new RecordReader({ maxRecordBytes })
  const frames: string[] = []
  const end = endOf(() => {
    for (const chunk of chunks) for (const data of reader.push(chunk)) frames.push(hexOf(data))
    reader.end()
  })
  return { frames, end: end ?? 'END' }
}

function checkSplit(vector: Case & { kind: 'split' }): void {
  const whole = fromHex(vector.input_hex)
  const end = endOf(() => {
    assert.deepEqual(splitRecords(whole).map(hexOf), vector.records_hex)
  })
  assert.equal(end ?? 'OK', vector.end)
  if (end === undefined) return
  const good = vector.records_hex.map((hex) => hexOf(encodeRecord(fromHex(hex)))).join('')
  assert(vector.input_hex.startsWith(good), 'the records before the bad one')
  assert.deepEqual(splitRecords(fromHex(good)).map(hexOf), vector.records_hex)
}

function endOf(body: () => void): string | undefined {
  try {
    body()
    return undefined
  } catch (error) {
    if (error instanceof RecoveryLogError) return error.code
    throw error
  }
}
