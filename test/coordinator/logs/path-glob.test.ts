import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parsePathGlob } from '../../../src/coordinator/logs/path-glob.ts'

it.each([
  ['p', undefined, 'p/+/'],
  ['p/+', undefined, 'p/+/'],
  ['p/+/', undefined, 'p/+/'],
  ['p/+/**', undefined, 'p/+/'],
  ['p/+/*', undefined, 'p/+/'],
  ['p/+/a', 'p/+/a', undefined],
  ['p/+/a/b', 'p/+/a/b', undefined],
  ['p/+/a*b', undefined, 'p/+/a'],
  ['p/+/a/b*', undefined, 'p/+/a/b'],
  ['p/+/a/*/b', undefined, 'p/+/a/'],
  ['p/+/a/**', 'p/+/a', 'p/+/a/'],
  ['p/+/a/**/**', 'p/+/a', 'p/+/a/'],
  ['p/+/a/**/b', undefined, 'p/+/a/'],
  ['p/+/a/**/*', undefined, 'p/+/a/'],
])('glob: what has to be looked at (%s)', (path, exact, head) => {
  expect(parsePathGlob(path)).toMatchObject({ exact, head })
})

it.each([
  ['p/+/a**', 'INVALID'],
  ['p/+/**a', 'INVALID'],
  ['p/+/a/***', 'INVALID'],
  ['p*/+/a', 'NAME_INVALID'],
  ['', 'NAME_INVALID'],
  ['p/+/a//b', 'NAME_INVALID'],
  ['p/+/a/', 'NAME_INVALID'],
  ['p/+/[a]*', 'NAME_INVALID'],
  ['p/+/a/+/b', 'NAME_INVALID'],
])('glob: refuses %j with %s', (path, code) => {
  expect(() => parsePathGlob(path)).toThrow(expect.objectContaining({ code }))
})

/** Every way to divide names and segments is tried. */
function plainly(name: string, glob: string): boolean {
  const segments = (names: readonly string[], patterns: readonly string[]): boolean => {
    const [pattern, ...others] = patterns
    if (pattern === undefined) return names.length === 0
    if (pattern === '**') {
      return segments(names, others) || (names.length > 0 && segments(names.slice(1), patterns))
    }
    return names.length > 0 && characters(names[0] as string, pattern) && segments(names.slice(1), others)
  }
  const characters = (text: string, pattern: string): boolean => {
    if (pattern === '') return text === ''
    if (pattern.startsWith('*')) {
      return (
        text !== '' && (characters(text.slice(1), pattern.slice(1)) || characters(text.slice(1), pattern))
      )
    }
    return text.startsWith(pattern.charAt(0)) && characters(text.slice(1), pattern.slice(1))
  }
  return segments(name.split('/'), glob.split('/'))
}

const segment = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 4 })
const wild = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 4 })
const pattern = fc.oneof(
  fc.constant('**'),
  segment,
  wild.map((text) => text.replace(/\*{2,}/g, '*')),
)

it('glob: matches what trying everything matches, and only under its head', () => {
  fc.assert(
    fc.property(
      fc.array(pattern, { minLength: 1, maxLength: 5 }),
      fc.array(segment, { minLength: 1, maxLength: 5 }),
      (patterns, names) => {
        const glob = parsePathGlob(`p/+/${patterns.join('/')}`)
        const path = `p/+/${names.join('/')}`
        const isMatch = glob.matches(path)
        expect(isMatch).toBe(plainly(names.join('/'), patterns.join('/')))
        const isLookedAt = path === glob.exact || (glob.head !== undefined && path.startsWith(glob.head))
        if (isMatch) expect(isLookedAt).toBe(true)
      },
    ),
    { numRuns: 2000 },
  )
})

it('glob: many stars cost no more than the product of the lengths', () => {
  const glob = parsePathGlob(`p/+/${'*a'.repeat(500)}/${'**/'.repeat(100)}b`)
  const names = `${'a'.repeat(2000)}/${'a/'.repeat(500)}c`
  expect(glob.matches(`p/+/${names}`)).toBe(false)
})
