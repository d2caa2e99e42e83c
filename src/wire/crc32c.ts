/**
 * CRC-32C (Castagnoli, reflected, the usual initial and final inversion), by slices of eight bytes: the checksum that
 * chains the operations of a log (recovery-log spec, section 2) and that guards the content of writes (section 9).
 */

import { viewOf } from './byte-view.ts'

const POLYNOMIAL = 0x82f63b78 | 0

// Eight tables of 256 in one: table k gives what a byte contributes that lies k places before the end of the slice.
// Signed throughout, because a number of 2^31 or more would be an object on the heap.
const TABLE = new Int32Array(8 * 256)
for (let byte = 0; byte < 256; byte++) {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : POLYNOMIAL)
  TABLE[byte] = crc
}
for (let i = 256; i < TABLE.length; i++) {
  const before = TABLE[i - 256] as number
  TABLE[i] = (before >>> 8) ^ (TABLE[before & 0xff] as number)
}

/**
 * Continues `previous`, the checksum of all bytes before (0 when there are none), over `bytes[begin, end)`.
 * `previous` may be int32 or uint32; the answer is int32, so that no caller's number lands on the heap: `>>> 0` is the
 * number as it is written down. Throws RangeError when the range does not lie in `bytes`.
 */
export function crc32c(previous: number, bytes: Uint8Array, begin = 0, end = bytes.length): number {
  if (!(begin >= 0 && begin <= end && end <= bytes.length)) {
    throw new RangeError(`the range [${begin}, ${end}) does not lie within ${bytes.length} bytes`)
  }
  const view = viewOf(bytes)
  let crc = ~previous
  let at = begin
  for (const last = end - 8; at <= last; at += 8) {
    const low = crc ^ view.getInt32(at, true)
    const high = view.getInt32(at + 4, true)
    crc =
      (TABLE[1792 | (low & 0xff)] as number) ^
      (TABLE[1536 | ((low >>> 8) & 0xff)] as number) ^
      (TABLE[1280 | ((low >>> 16) & 0xff)] as number) ^
      (TABLE[1024 | (low >>> 24)] as number) ^
      (TABLE[768 | (high & 0xff)] as number) ^
      (TABLE[512 | ((high >>> 8) & 0xff)] as number) ^
      (TABLE[256 | ((high >>> 16) & 0xff)] as number) ^
      (TABLE[high >>> 24] as number)
  }
  if (at <= end - 4) {
    // A message of the usual length would else spend a quarter of its time on the bytes after its last slice.
    const rest = crc ^ view.getInt32(at, true)
    crc =
      (TABLE[768 | (rest & 0xff)] as number) ^
      (TABLE[512 | ((rest >>> 8) & 0xff)] as number) ^
      (TABLE[256 | ((rest >>> 16) & 0xff)] as number) ^
      (TABLE[rest >>> 24] as number)
    at += 4
  }
  // The bytes that are left are looked up side by side: one after the other, each would wait for the one before.
  switch (end - at) {
    case 3: {
      const rest =
        crc ^ (bytes[at] as number) ^ ((bytes[at + 1] as number) << 8) ^ ((bytes[at + 2] as number) << 16)
      crc =
        (crc >>> 24) ^
        (TABLE[512 | (rest & 0xff)] as number) ^
        (TABLE[256 | ((rest >>> 8) & 0xff)] as number) ^
        (TABLE[(rest >>> 16) & 0xff] as number)
      break
    }
    case 2: {
      const rest = crc ^ (bytes[at] as number) ^ ((bytes[at + 1] as number) << 8)
      crc = (crc >>> 16) ^ (TABLE[256 | (rest & 0xff)] as number) ^ (TABLE[(rest >>> 8) & 0xff] as number)
      break
    }
    case 1:
      crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[at] as number)) & 0xff] as number)
  }
  return ~crc
}
