import fc from 'fast-check'

/** Well-formed text of any characters: NUL, those that JSON escapes, those of two to four bytes in UTF-8. */
export function texts(options: { readonly maxLength?: number } = {}): fc.Arbitrary<string> {
  const unit = fc.oneof(
    { weight: 4, arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }) },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('<', '>', '&', '"', '\\', '\u2028', '\u2029', '\ufeff', '\ufffd'),
    },
  )
  return fc.string({ unit, ...options })
}

/** Paths that are taken by every player: no piece is `.`, `..` or too long, none holds NUL or a backslash. */
export function paths(): fc.Arbitrary<string> {
  const piece = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'c', 'journal', 'MANIFEST') },
    { weight: 1, arbitrary: fc.stringMatching(/^[a-zåß数😀0-9_-]{1,20}$/u) },
  )
  return fc.array(piece, { minLength: 1, maxLength: 3 }).map((pieces) => `/${pieces.join('/')}`)
}
