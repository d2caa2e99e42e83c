import fc from 'fast-check'

/** Sequence numbers, fnodes, offsets and lengths as they stand on the wire: every safe integer, each width as likely. */
export function int64s(): fc.Arbitrary<number> {
  return fc
    .tuple(fc.nat({ max: 53 }), fc.maxSafeNat())
    .map(([bits, value]) => (bits === 53 ? value : value % 2 ** bits))
}

/** Authors, checksums: every uint32, with the border cases and 0 among them. */
export function uint32s(): fc.Arbitrary<number> {
  return fc.oneof(fc.nat({ max: 0xffff_ffff }), fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff))
}

/** The author of a log: any but 0. */
export function authors(): fc.Arbitrary<number> {
  return fc.integer({ min: 1, max: 0xffff_ffff })
}
