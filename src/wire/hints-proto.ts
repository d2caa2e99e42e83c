/**
 * Hints as protobuf (recovery-log spec, section 2), byte for byte as Go writes them, and read as Go reads them.
 */

import { isInt64, isUint32, unwritable } from './writable-hints.ts'
import { appended } from './hints.ts'
import type { FnodeSegments, FSMHints, Property, Segment } from './hints.ts'
import { ProtobufReader, varintLength, writeFixed32, writeVarint } from './protobuf.ts'
import { isUtf8, utf8Length, writeUtf8 } from './utf8.ts'

/** Writes hints as a protobuf message. Throws `HINTS_INVALID`, with path and value, for what has no bytes. */
export function hintsToProto(hints: FSMHints): Uint8Array {
  const size = hintsSize(hints)
  if (Number.isNaN(size)) throw unwritable(hints)
  const out = new Uint8Array(size)
  let at = writeString(out, 0, 0x0a, hints.log)
  for (const node of hints.liveNodes) {
    out[at] = 0x12
    at = closeMessage(out, at + 1, writeNode(out, at + 2, node))
  }
  for (const property of hints.properties) {
    out[at] = 0x1a
    at = closeMessage(out, at + 1, writeProperty(out, at + 2, property))
  }
  return out
}

/**
 * Reads hints from a protobuf message. Throws `HINTS_INVALID`, with the byte's place and the value, for what is no such
 * message, for numbers that are negative or not below 2^53, and for strings that are not UTF-8.
 */
export function hintsFromProto(bytes: Uint8Array): FSMHints {
  const reader = new ProtobufReader(bytes, 0, bytes.length, 'HINTS_INVALID')
  let log = ''
  const liveNodes: FnodeSegments[] = []
  const properties: Property[] = []
  while (reader.next()) {
    if (reader.field === 1) log = readString(reader, 'log')
    else if (reader.field === 2) liveNodes.push(readNode(reader))
    else if (reader.field === 3) properties.push(readProperty(reader))
    else reader.skip()
  }
  return { log, liveNodes, properties }
}

function readNode(reader: ProtobufReader): FnodeSegments {
  let fnode = 0
  let segments: Segment[] = []
  const outer = reader.enter('live_nodes')
  while (reader.next()) {
    if (reader.field === 1) fnode = reader.int64('fnode')
    else if (reader.field === 2) segments = appended(segments, readSegment(reader))
    else reader.skip()
  }
  reader.leave(outer)
  return { fnode, segments }
}

function readSegment(reader: ProtobufReader): Segment {
  const segment = {
    author: 0,
    firstSeqNo: 0,
    firstOffset: 0,
    firstChecksum: 0,
    lastSeqNo: 0,
    lastOffset: 0,
    log: '',
  }
  const outer = reader.enter('segments')
  while (reader.next()) {
    if (reader.field === 1) segment.author = reader.fixed32('author') >>> 0
    else if (reader.field === 2) segment.firstSeqNo = reader.int64('first_seq_no')
    else if (reader.field === 3) segment.firstOffset = reader.int64('first_offset')
    else if (reader.field === 4) segment.firstChecksum = reader.fixed32('first_checksum') >>> 0
    else if (reader.field === 5) segment.lastSeqNo = reader.int64('last_seq_no')
    else if (reader.field === 6) segment.lastOffset = reader.int64('last_offset')
    else if (reader.field === 7) segment.log = readString(reader, 'segments.log')
    else reader.skip()
  }
  reader.leave(outer)
  return segment
}

function readProperty(reader: ProtobufReader): Property {
  let path = ''
  let content = ''
  const outer = reader.enter('properties')
  while (reader.next()) {
    if (reader.field === 1) path = readString(reader, 'path')
    else if (reader.field === 2) content = readString(reader, 'content')
    else reader.skip()
  }
  reader.leave(outer)
  return { path, content }
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

function readString(reader: ProtobufReader, name: string): string {
  const end = reader.delimited(name)
  const begin = reader.at
  if (!isUtf8(reader.bytes, begin, end)) {
    throw reader.invalid(`${name} is not valid UTF-8`, begin, reader.bytes.slice(begin, end))
  }
  reader.at = end
  return utf8.decode(reader.bytes.subarray(begin, end))
}

function writeNode(out: Uint8Array, begin: number, node: FnodeSegments): number {
  let at = writeInt64(out, begin, 0x08, node.fnode)
  for (const segment of node.segments) {
    out[at] = 0x12
    at = closeMessage(out, at + 1, writeSegment(out, at + 2, segment))
  }
  return at
}

/**
 * Writes the length of a message that was written behind one byte left free at `at`. It seldom takes more: then the
 * message moves on.
 */
function closeMessage(out: Uint8Array, at: number, end: number): number {
  const begin = at + 1
  const length = end - begin
  if (length < 0x80) {
    out[at] = length
    return end
  }
  const moved = at + varintLength(length)
  out.copyWithin(moved, begin, end)
  writeVarint(out, at, length)
  return moved + length
}

function writeSegment(out: Uint8Array, begin: number, segment: Segment): number {
  let at = begin
  if (segment.author !== 0) {
    out[at] = 0x0d
    at = writeFixed32(out, at + 1, segment.author)
  }
  at = writeInt64(out, at, 0x10, segment.firstSeqNo)
  at = writeInt64(out, at, 0x18, segment.firstOffset)
  if (segment.firstChecksum !== 0) {
    out[at] = 0x25
    at = writeFixed32(out, at + 1, segment.firstChecksum)
  }
  at = writeInt64(out, at, 0x28, segment.lastSeqNo)
  at = writeInt64(out, at, 0x30, segment.lastOffset)
  return writeString(out, at, 0x3a, segment.log)
}

function writeProperty(out: Uint8Array, at: number, property: Property): number {
  return writeString(out, writeString(out, at, 0x0a, property.path), 0x12, property.content)
}

function writeInt64(out: Uint8Array, at: number, tag: number, value: number): number {
  if (value === 0) return at
  out[at] = tag
  return writeVarint(out, at + 1, value)
}

function writeString(out: Uint8Array, at: number, tag: number, text: string): number {
  if (text === '') return at
  out[at] = tag
  return closeMessage(out, at + 1, writeUtf8(out, at + 2, text))
}

/** NaN, as all the sizes that follow, when there is something in it that cannot be written. */
function hintsSize(hints: FSMHints): number {
  let size = stringSize(hints.log)
  for (const node of hints.liveNodes) size += messageSize(nodeSize(node))
  for (const { path, content } of hints.properties) {
    size += messageSize(stringSize(path) + stringSize(content))
  }
  return size
}

function nodeSize(node: FnodeSegments): number {
  let size = int64Size(node.fnode)
  for (const segment of node.segments) size += messageSize(segmentSize(segment))
  return size
}

function segmentSize(segment: Segment): number {
  return (
    fixed32Size(segment.author) +
    int64Size(segment.firstSeqNo) +
    int64Size(segment.firstOffset) +
    fixed32Size(segment.firstChecksum) +
    int64Size(segment.lastSeqNo) +
    int64Size(segment.lastOffset) +
    stringSize(segment.log)
  )
}

function int64Size(value: number): number {
  if (value === 0) return 0
  return isInt64(value) ? 1 + varintLength(value) : NaN
}

function fixed32Size(value: number): number {
  if (value === 0) return 0
  return isUint32(value) ? 5 : NaN
}

function stringSize(text: string): number {
  return text === '' ? 0 : messageSize(utf8Length(text))
}

/** A message is written even when it is empty. */
function messageSize(length: number): number {
  return Number.isNaN(length) ? NaN : 1 + varintLength(length) + length
}
