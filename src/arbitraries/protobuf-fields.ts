import fc from 'fast-check'

/**
 * Protobuf as nobody writes it but as it may be read: varints with more bytes than they need, and fields that nobody
 * knows, of every wire type.
 */

/** A varint of `value`, with up to `padding` bytes more than it needs, in all at most `bytesMax`. */
function varint(value: number, padding: number, bytesMax: number): number[] {
  const bytes: number[] = []
  let rest = value
  do {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  } while (rest > 0)
  for (let i = 0; i < padding && bytes.length < bytesMax; i++) bytes.push(0x80)
  bytes.push((bytes.pop() as number) & 0x7f)
  return bytes
}

/** Tags and lengths are 32 bits wide: Go reads ten bytes of them too, others do not. */
function shortVarint(value: number, padding: number): number[] {
  return varint(value, padding, 5)
}

export function int64Field(field: number, value: number, padding: number): number[] {
  return [...shortVarint(field * 8, padding % 3), ...varint(value, padding, 10)]
}

export function fixed32Field(field: number, value: number): number[] {
  return [
    ...shortVarint(field * 8 + 5, 0),
    value & 0xff,
    (value >>> 8) & 0xff,
    (value >>> 16) & 0xff,
    value >>> 24,
  ]
}

export function bytesField(field: number, value: Iterable<number>, padding: number): number[] {
  const bytes = [...value]
  return [...shortVarint(field * 8 + 2, padding % 3), ...shortVarint(bytes.length, padding), ...bytes]
}

/** Fields with numbers from `least` on, which no reader knows; groups may hold others, known ones too. */
export function unknownFields(least: number): fc.Arbitrary<number[]> {
  const number = fc.integer({ min: least, max: 2 ** 29 - 1 })
  const { field } = fc.letrec<{ field: number[] }>((tie) => ({
    field: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc
        .tuple(number, fc.maxSafeNat(), fc.nat({ max: 9 }))
        .map(([n, value, pad]) => int64Field(n, value, pad)),
      fc.tuple(number, fc.nat()).map(([n, value]) => fixed32Field(n, value)),
      fc.tuple(number, fc.uint8Array({ minLength: 8, maxLength: 8 })).map(([n, value]) => {
        return [...shortVarint(n * 8 + 1, 0), ...value]
      }),
      fc.tuple(number, fc.uint8Array({ maxLength: 20 })).map(([n, value]) => bytesField(n, value, 0)),
      fc.tuple(number, fc.array(tie('field'), { maxLength: 3 })).map(([n, inner]) => {
        return [...shortVarint(n * 8 + 3, 0), ...inner.flat(), ...shortVarint(n * 8 + 4, 0)]
      }),
    ),
  }))
  return field
}
