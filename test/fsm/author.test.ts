import { expect, test } from 'vitest'
import { authorOf, fenceOf } from '../../src/fsm/index.ts'

test('author: a fence is read back', () => {
  for (const author of [1, 31, 32, 0x1a2b3c4d, 0xffff_ffff]) expect(authorOf(fenceOf(author))).toBe(author)
  expect(fenceOf(0xffff_ffff)).toEqual({ name: 'author', value: '3vvvvvv' })
})

test.each([0, -1, 1.5, 2 ** 32, Number.NaN])('author: what is no author has no fence (%s)', (author) => {
  expect(() => fenceOf(author)).toThrow(RangeError)
})

test.each([
  ['another name', { name: 'owner', value: '1' }],
  ['an empty value', { name: 'author', value: '' }],
  ['padding', { name: 'author', value: '01' }],
  ['upper case', { name: 'author', value: 'V' }],
  ['a letter past v', { name: 'author', value: 'w' }],
  ['more than a uint32', { name: 'author', value: '4000000' }],
  ['eight digits', { name: 'author', value: '10000000' }],
])('author: a register that is no fence names none (%s)', (_, register) => {
  expect(authorOf(register)).toBeUndefined()
})
