export { viewOf } from './byte-view.ts'
export { crc32c } from './crc32c.ts'
export { decodeHints } from './decode-hints.ts'
export { FRAME_BYTES_MAX, FRAME_HEADER_BYTES, findMagic, readFrameHeader } from './frame.ts'
export { FrameBatch } from './frame-batch.ts'
export { FrameScanner } from './frame-scanner.ts'
export { hintsFromJson } from './hints-json-reader.ts'
export { hintsToJson } from './hints-json-writer.ts'
export { hintsFromProto, hintsToProto } from './hints-proto.ts'
export type { FnodeSegments, FSMHints, Property, Segment } from './hints.ts'
export { pathHash } from './path-hash.ts'
export { decodeRecordedOp } from './recorded-op-decoder.ts'
export {
  encodeCreate,
  encodeLink,
  encodeNoop,
  encodeProperty,
  encodeUnlink,
  encodeWrite,
  NOOP_FRAME_BYTES_MAX,
  pathFrameBytesMax,
  propertyFrameBytesMax,
  WRITE_FRAME_BYTES_MAX,
} from './recorded-op-encoder.ts'
export { OpKind, RecordedOp } from './recorded-op.ts'
export { varintLength, writeVarint } from './protobuf.ts'
export {
  encodeRecord,
  readRecordHeader,
  RECORD_BYTES_MAX,
  RecordReader,
  recordTooLarge,
  splitRecords,
} from './recordio.ts'
export type { RecordHeader } from './recordio.ts'
export { utf8Length } from './utf8.ts'
