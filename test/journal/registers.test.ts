import { describe, expect, it } from 'vitest'
import { RecoveryLogError } from '../../src/errors/index.ts'
import {
  changeRegisters,
  MATCH_RULES,
  REGISTER_COUNT_MAX,
  REGISTER_NAME_BYTES_MAX,
  REGISTER_VALUE_BYTES_MAX,
  registersMatch,
  validateRegisterRequest,
} from '../../src/journal/index.ts'
import type { Label, RegisterRequest } from '../../src/journal/index.ts'

/** `a=1 b=` as labels. */
function labels(text: string): Label[] {
  return text.split(' ').flatMap((part) => {
    const [name, value] = part.split('=')
    return name === undefined || value === undefined ? [] : [{ name, value }]
  })
}

describe('registers: matching', () => {
  it('one match against one value (every value, prefix and register)', () => {
    for (const value of ['', 'ab', 'abc', 'b']) {
      for (const prefix of [undefined, false, true]) {
        for (const held of ['', 'a', 'ab', 'abc']) {
          const match = { name: 'n', value, ...(prefix !== undefined && { prefix }) }
          const expected = value === '' || (prefix === true ? held.startsWith(value) : held === value)
          expect(registersMatch([{ name: 'n', value: held }], { include: [match] })).toBe(expected)
          expect(registersMatch([{ name: 'n', value: held }], { exclude: [match] })).toBe(!expected)
          expect(registersMatch([{ name: 'other', value: held }], { include: [match] })).toBe(false)
          expect(registersMatch([{ name: 'other', value: held }], { exclude: [match] })).toBe(true)
        }
      }
    }
  })

  it('exactly one row of the table decides for each kind of match', () => {
    const first = (match: { name: string; value: string; prefix?: boolean }): string | undefined =>
      MATCH_RULES.find((rule) => rule.when(match))?.label
    expect(first({ name: 'n', value: '' })).toMatch('any')
    expect(first({ name: 'n', value: '', prefix: true })).toMatch('any')
    expect(first({ name: 'n', value: 'a', prefix: true })).toMatch('beginnings')
    expect(first({ name: 'n', value: 'a', prefix: false })).toMatch('equal')
    expect(first({ name: 'n', value: 'a' })).toMatch('equal')
  })

  it.each([
    ['no registers match every selector', '', 'a=1', 'a=', true],
    ['no selector at all', 'a=1', '', '', true],
    ['every included name', 'a=1 b=2', 'a=1 b=2', '', true],
    ['one included name is missing', 'a=1', 'a=1 b=2', '', false],
    ['of several included values of one name one is enough', 'a=2', 'a=1 a=2', '', true],
    ['of several included values none holds', 'a=3', 'a=1 a=2', '', false],
    ['one of two held values is enough', 'a=1 a=2', 'a=2', '', true],
    ['one excluded is enough to fail', 'a=1 b=2', 'a=1', 'c=3 b=2', false],
    ['an excluded value that is not held', 'a=1', '', 'a=2', true],
  ])('%s', (_name, registers, include, exclude, expected) => {
    expect(registersMatch(labels(registers), { include: labels(include), exclude: labels(exclude) })).toBe(
      expected,
    )
  })
})

describe('registers: changing', () => {
  it.each([
    ['union keeps other names', 'a=1 c=3', '', 'b=2', 'a=1 b=2 c=3'],
    ['union replaces all values of a name', 'a=1 a=2', '', 'a=3', 'a=3'],
    ['union in any order, doubled', '', '', 'b=2 a=2 a=1 b=2', 'a=1 a=2 b=2'],
    ['subtraction of exactly the values', 'a=1 a=2 b=1', 'a=2 a=1', '', 'b=1'],
    ['subtraction of too few', 'a=1 a=2', 'a=1', '', 'a=1 a=2'],
    ['subtraction of too many', 'a=1', 'a=1 a=2', '', 'a=1'],
    ['subtraction of another value, or an unknown name', 'a=1', 'a=2 b=1', '', 'a=1'],
    ['an empty value is a value', 'a=', 'a=', '', ''],
    ['subtraction comes first', 'a=1', 'a=1', 'a=1', 'a=1'],
    ['subtraction does not see the union', 'a=1', 'a=2', 'a=2', 'a=2'],
  ])('%s', (_name, before, subtract, union, after) => {
    expect(changeRegisters(labels(before), { subtract: labels(subtract), union: labels(union) })).toEqual(
      labels(after),
    )
  })

  it('the order is that of UTF-8 bytes, by name, then value', () => {
    const sorted = ['', 'a', 'aa', 'b', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10000}a', '\u{10ffff}']
    const union = sorted.map((value) => ({ name: 'n', value })).reverse()
    expect(changeRegisters([], { union: [{ name: 'm', value: 'z' }, ...union] }).map((l) => l.value)).toEqual(
      ['z', ...sorted],
    )
  })

  it('more than a journal may have is refused', () => {
    const many = Array.from({ length: REGISTER_COUNT_MAX }, (_, i) => ({ name: `n${String(i)}`, value: '' }))
    const held = changeRegisters([], { union: many })
    expect(held).toHaveLength(REGISTER_COUNT_MAX)
    expect(() => changeRegisters(held, { union: labels('one=more') })).toThrow(
      expect.objectContaining({
        code: 'REGISTER_INVALID',
        data: { place: 'union', value: REGISTER_COUNT_MAX + 1 },
      }),
    )
  })
})

describe('registers: what is malformed is refused with place and value', () => {
  const label = (name: unknown, value: unknown): Label => ({ name, value }) as Label
  const cases: [string, RegisterRequest, number, string, unknown][] = [
    ['a union without content', { union: labels('a=1') }, 0, 'union', labels('a=1')],
    ['an empty union without content', { union: [] }, 0, 'union', []],
    ['an empty subtraction without content', { subtract: [] }, 0, 'subtract', []],
    ['an empty name', { union: [label('', 'x')] }, 1, 'union[0].name', ''],
    ['a name that is no string', { union: [label('a', ''), label(7, '')] }, 1, 'union[1].name', 7],
    ['a value that is no string', { subtract: [label('a', null)] }, 1, 'subtract[0].value', null],
    ['a control character', { check: { include: [label('a', 'x\0')] } }, 0, 'check.include[0].value', 'x\0'],
    ['half a pair', { check: { exclude: [label('\ud800', '')] } }, 0, 'check.exclude[0].name', '\ud800'],
    [
      'a prefix that is no boolean',
      { check: { include: [{ ...label('a', ''), prefix: 'yes' as unknown as boolean }] } },
      0,
      'check.include[0].prefix',
      'yes',
    ],
    ['a list that is none', { union: 'a=1' as unknown as Label[] }, 1, 'union', 'a=1'],
  ]
  it.each(cases)('%s', (_name, request, contentBytes, place, value) => {
    expect(() => {
      validateRegisterRequest(request, contentBytes)
    }).toThrow(expect.objectContaining({ code: 'REGISTER_INVALID', data: { place, value } }))
  })

  it('sizes are those of UTF-8, up to the limit', () => {
    const fits = [label('ü'.repeat(REGISTER_NAME_BYTES_MAX / 2), '€'.repeat(REGISTER_VALUE_BYTES_MAX / 3))]
    validateRegisterRequest({ union: fits }, 1)
    const codeOf = (l: Label): string => {
      try {
        validateRegisterRequest({ union: [l] }, 1)
        return 'OK'
      } catch (error) {
        return error instanceof RecoveryLogError ? error.code : 'other'
      }
    }
    expect(codeOf(label(`ü${'ü'.repeat(REGISTER_NAME_BYTES_MAX / 2)}`, ''))).toBe('REGISTER_INVALID')
    expect(codeOf(label('a', `xx${'€'.repeat(REGISTER_VALUE_BYTES_MAX / 3)}`))).toBe('REGISTER_INVALID')
    expect(codeOf(label('a', 'x'.repeat(REGISTER_VALUE_BYTES_MAX + 1)))).toBe('REGISTER_INVALID')
    const many = Array.from({ length: REGISTER_COUNT_MAX + 1 }, () => label('a', ''))
    expect(() => {
      validateRegisterRequest({ subtract: many }, 1)
    }).toThrow('too many')
  })
})
