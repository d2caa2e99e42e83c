import fc from 'fast-check'

export interface StreamNamesOptions {
  /** Segments between the slashes. Default 3. */
  readonly segmentsMax?: number
}

const FIRST = Array.from('abcxyzABCXYZ019')
const LATER = [...FIRST, ':', '_', '-', '.']

/** Names of streams, of prefixes and of tags' keys (log-archive spec, section 2): valid ones, at most 64 bytes long. */
export function streamNames(options: StreamNamesOptions = {}): fc.Arbitrary<string> {
  const { segmentsMax = 3 } = options
  const segment = fc
    .tuple(fc.constantFrom(...FIRST), fc.array(fc.constantFrom(...LATER), { maxLength: 12 }))
    .map(([first, later]) => first + later.join(''))
  return fc
    .array(segment, { minLength: 1, maxLength: segmentsMax })
    .map((segments) => segments.join('/'))
    .filter((name) => name.length <= 64)
}
