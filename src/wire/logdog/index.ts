export {
  BUNDLE_BYTES_MAX,
  BundleCompression,
  BundleContentType,
  COMPRESS_BYTES_MIN,
  decodeBundle,
  decodeMetadata,
  encodeBundle,
  encodeMetadata,
  packBundle,
  PROTOCOL_VERSION,
  unpackBundle,
} from './bundle.ts'
export type {
  BundleEntry,
  ButlerLogBundle,
  ButlerMetadata,
  Deflate,
  Inflate,
  PackOptions,
  UnpackedBundle,
} from './bundle.ts'
export { decodeDescriptor, encodeDescriptor, StreamType } from './descriptor.ts'
export type { LogStreamDescriptor } from './descriptor.ts'
export { ContentType, ENTRY_DATA_BYTES_MAX } from './limits.ts'
export { decodeLogEntry, peekStreamIndex } from './log-entry-decoder.ts'
export { encodeLogEntry, LogEntryWriter } from './log-entry-writer.ts'
export type {
  BinaryContent,
  DatagramContent,
  DatagramPart,
  LogContent,
  LogEntry,
  TextContent,
  TextLine,
  WithUnknown,
} from './log-entry.ts'
export {
  decodeLogIndex,
  encodeIndexDescriptor,
  encodeIndexTotals,
  encodeLogIndex,
  indexEntryBytes,
  scanLogIndex,
  writeIndexEntry,
} from './log-index.ts'
export type { IndexEntry, IndexTotals, LogIndex, ScannedIndex } from './log-index.ts'
export { decodeTextEntry, peekPlainStreamIndex } from './text-entry.ts'
export { plainTextStreamIndex } from './plain-text-entry.ts'
export { putTextFrame } from './text-frame.ts'
export type { Time } from './time.ts'
