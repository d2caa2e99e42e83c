/**
 * Whether a message of an operation is one that Go takes and we refuse (rule 5 of test/vectors/README.md): several
 * kinds in one message, a number that is negative or from 2^53 on, a path or content that is not UTF-8. It reads what Go
 * has written, by itself, so that our decoder is not its own judge.
 */
export function isMalformedOp(message: Uint8Array): boolean {
  const fields = [...readFields(message)]
  const kinds = new Set(fields.map(({ field }) => field).filter((field) => field >= 4 && field <= 8))
  if (kinds.size > 1) return true
  return fields.some(({ field, value }) => {
    if (field >= 4 && field <= 8 && value instanceof Uint8Array) {
      return [...readFields(value)].some((inner) => isBadValue(inner.value))
    }
    return field === 1 && isBadValue(value)
  })
}

type Value = bigint | Uint8Array

function isBadValue(value: Value): boolean {
  if (typeof value === 'bigint') return value >= 2n ** 53n
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(value)
    return false
  } catch {
    return true
  }
}

/** The fields of a well-formed message: varints unsigned, everything else as bytes. */
function* readFields(message: Uint8Array): Generator<{ field: number; value: Value }> {
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++] ?? 0
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
  }
  while (at < message.length) {
    const tag = Number(varint())
    const field = tag >>> 3
    if ((tag & 7) === 0) {
      yield { field, value: varint() }
      continue
    }
    const length = (tag & 7) === 2 ? Number(varint()) : (tag & 7) === 5 ? 4 : 8
    yield { field, value: message.subarray(at, at + length) }
    at += length
  }
}
