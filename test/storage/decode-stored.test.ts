import { expect, it } from 'vitest'
import { decodeStored } from '../../src/storage/index.ts'
import { encodeLogEntry } from '../../src/wire/logdog/index.ts'
import type { LogEntry } from '../../src/wire/logdog/index.ts'

const STREAM = { project: 'project', path: 'prefix/+/name' }

const ENTRY: LogEntry = {
  timeOffset: undefined,
  prefixIndex: 3,
  streamIndex: 2,
  sequence: 2,
  content: { kind: 'binary', data: new Uint8Array([1, 2, 3]) },
}

it('a stored entry: is what was put', () => {
  expect(decodeStored(STREAM, { index: 2, bytes: encodeLogEntry(ENTRY) })).toMatchObject({
    prefixIndex: 3,
    streamIndex: 2,
    content: ENTRY.content,
  })
})

it('a stored entry: CORRUPT with its place when it has another index than its key', () => {
  expect(() => decodeStored(STREAM, { index: 5, bytes: encodeLogEntry(ENTRY) })).toThrow(
    expect.objectContaining({ code: 'CORRUPT', data: { ...STREAM, index: 5, streamIndex: 2 } }) as Error,
  )
})

it('a stored entry: CORRUPT with its place when it cannot be decoded', () => {
  expect(() => decodeStored(STREAM, { index: 2, bytes: new Uint8Array([0x0a, 0xff]) })).toThrow(
    expect.objectContaining({ code: 'CORRUPT', data: { ...STREAM, index: 2 } }) as Error,
  )
})
