export { crc32c } from './crc32c.ts'
export type { FnodeSegments, FSMHints, Property, Segment } from './hints.ts'
export { OpKind, RecordedOp } from './recorded-op.ts'
