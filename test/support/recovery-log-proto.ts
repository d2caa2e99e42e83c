import protobuf from 'protobufjs'

/**
 * The messages of the recovery log as protobufjs has them, to hold ours against. Strings are declared as bytes, which
 * look the same on the wire, so that what is not UTF-8 can be written too; field 12 keeps whether it is there.
 */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message RecordedOp {
    int64 seq_no = 1; fixed32 checksum = 2; fixed32 author = 3;
    Create create = 4; Link link = 5; Link unlink = 6; Write write = 7; Property property = 8;
    int64 first_offset = 9; int64 last_offset = 10; bytes log = 11;
    optional fixed32 content_checksum = 12;
    message Create { bytes path = 1; }
    message Link { int64 fnode = 1; bytes path = 2; }
    message Write { int64 fnode = 1; int64 offset = 2; int64 length = 3; }
  }
  message Property { bytes path = 1; bytes content = 2; }
  message Segment {
    fixed32 author = 1; int64 first_seq_no = 2; int64 first_offset = 3; fixed32 first_checksum = 4;
    int64 last_seq_no = 5; int64 last_offset = 6; bytes log = 7;
  }
  message FnodeSegments { int64 fnode = 1; repeated Segment segments = 2; }
  message FSMHints { bytes log = 1; repeated FnodeSegments live_nodes = 2; repeated Property properties = 3; }
`)

export type MessageName = 'RecordedOp' | 'FSMHints'

/** Writes fields in the words of protobufjs, int64 as bigint or number. */
export function protobufjsEncode(name: MessageName, fields: object): Uint8Array {
  return root
    .lookupType(name)
    .encode(withLongs(fields) as protobuf.Message)
    .finish()
}

/** The fields that protobufjs reads: int64 as decimal text, lists always there, kinds that are not there left out. */
export function protobufjsDecode(name: MessageName, bytes: Uint8Array): Record<string, unknown> {
  const type = root.lookupType(name)
  return type.toObject(type.decode(bytes), { longs: String, arrays: true })
}

/** protobufjs takes 64 bits without loss as two halves. */
function withLongs(value: unknown): unknown {
  if (typeof value === 'bigint') {
    return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)) }
  }
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(withLongs)
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withLongs(inner)]))
}
