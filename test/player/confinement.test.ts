import { describe, expect, it } from 'vitest'
import { cleanPath, RULES } from '../../src/player/confinement.ts'
import type { Platform } from '../../src/parts/index.ts'

const piece = (bytes: number): string => 'n'.repeat(bytes)
/** A path of just so many bytes, in pieces that may be. */
const pathOf = (bytes: number): string => `/${'p/'.repeat(2046)}${'p'.repeat(bytes - 4093)}`
/** In the names of tests. */
const told = (path: string): string => (path.length > 40 ? `${path.length} units` : JSON.stringify(path))

/** What each rule refuses, and what looks alike and is good. */
const TABLE: readonly {
  rule: string
  platform: Platform
  refused: readonly string[]
  good: readonly string[]
}[] = [
  { rule: 'no piece left', platform: 'posix', refused: ['', '/', '///'], good: ['a'] },
  { rule: 'a piece "."', platform: 'posix', refused: ['/.', '/a/./b', '/a/.'], good: ['/.a', '/a.', '/...'] },
  {
    rule: 'a piece ".."',
    platform: 'posix',
    refused: ['..', '/../a', '/a/../b', '/a/..'],
    good: ['/..a', '/a..'],
  },
  { rule: 'NUL', platform: 'posix', refused: ['/\0', '/a/b\0c'], good: ['/0', '/a/\x01'] },
  {
    rule: 'the staging folder as its first piece',
    platform: 'posix',
    refused: ['/.fnodes', '.fnodes/1', '//.fnodes/a'],
    good: ['/a/.fnodes', '/.fnodes2', '/.fnode'],
  },
  {
    rule: 'a piece of more than 255 bytes',
    platform: 'posix',
    refused: [piece(256), `/a/${piece(256)}/b`, 'é'.repeat(128), '\u{1f600}'.repeat(64)],
    good: [piece(255), 'é'.repeat(127), '\u{1f600}'.repeat(63)],
  },
  { rule: 'more than 4095 bytes', platform: 'posix', refused: [pathOf(4096)], good: [pathOf(4095)] },
  { rule: 'a backslash', platform: 'windows', refused: ['/a\\b', '\\'], good: ['/a/b'] },
  {
    rule: 'a drive letter or stream',
    platform: 'windows',
    refused: ['/C:', 'C:/x', '/file:stream', '/a/c:b'],
    good: ['/C', '/c;'],
  },
  {
    rule: 'a device name',
    platform: 'windows',
    refused: [
      '/con',
      '/a/NUL',
      '/aux.txt',
      '/COM1',
      '/lpt9.tar.gz',
      '/prn .a',
      '/com¹',
      '/CONIN$',
      '/conout$.x',
    ],
    good: ['/con1', '/nulls', '/com', '/com10', '/xcon', '/lpta', '/conin'],
  },
  {
    rule: 'a piece that ends with a dot or a space',
    platform: 'windows',
    refused: ['/a.', '/a ', '/.. ', '/a./b'],
    good: ['/a.b', '/ a', '/.a'],
  },
]

describe('confinement: what may become a name', () => {
  it('every rule is in the table', () => {
    const rules = [...RULES.windows.map((rule) => rule.name), 'no piece left', 'more than 4095 bytes']
    expect(TABLE.map(({ rule }) => rule).sort()).toEqual(rules.sort())
  })

  for (const { rule, platform, refused, good } of TABLE) {
    it.each(refused.map((path) => [told(path), path]))(`${rule}: refused (${platform}, %s)`, (_, path) => {
      expect(() => cleanPath(path, platform)).toThrow(
        expect.objectContaining({ code: 'PATH_REFUSED', data: { path, rule } }) as Error,
      )
    })
    it.each(good.map((path) => [told(path), path]))(`${rule}: good (${platform}, %s)`, (_, path) => {
      expect(cleanPath(path, platform)).toBe(`/${path.replace(/^\//, '')}`)
    })
  }

  const windowsOnly = TABLE.filter(({ platform }) => platform === 'windows').flatMap(({ refused }) => refused)
  it.each(windowsOnly)('a rule of Windows does not hold elsewhere (%j)', (path) => {
    expect(cleanPath(path, 'posix')).toBe(`/${path.replace(/^\//, '')}`)
  })

  it.each(['a/b', '/a/b', 'a/b/', '//a///b//'])('one place has one spelling (%j)', (path) => {
    expect(cleanPath(path, 'posix')).toBe('/a/b')
    expect(cleanPath(path, 'windows')).toBe('/a/b')
  })

  it('empty pieces count for nothing in the length', () => {
    expect(cleanPath(`${'/'.repeat(5000)}a`, 'posix')).toBe('/a')
  })
})
