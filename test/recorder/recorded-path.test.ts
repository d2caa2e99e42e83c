import { describe, expect, it } from 'vitest'
import { PathCleaner } from '../../src/recorder/recorded-path.ts'
import type { Separator } from '../../src/recorder/recorded-path.ts'

const CLEANED: readonly [dir: string, path: string, recorded: string, separator?: Separator][] = [
  ['/dir', '/dir/a', '/a'],
  ['/dir', '/dir//a///b/', '/a/b'],
  ['/dir', '/dir/x/./y/../z', '/x/z'],
  ['/dir', '//dir/a', '/a'],
  ['/dir', '/dir/../dir/a', '/a'],
  ['/dir', '/dir/räksmörgås/😀', '/räksmörgås/😀'],
  ['/dir', '/dir/a\\b', '/a\\b'],
  ['/dir', '/dir/..a', '/..a'],
  ['/dir', '/dir/a/.fnodes', '/a/.fnodes'],
  ['/dir', '/dir/.fnodes2', '/.fnodes2'],
  ['/dir', `/dir/${'a'.repeat(255)}`, `/${'a'.repeat(255)}`],
  ['/', '/a', '/a'],
  ['/', '/b/c', '/b/c'],
  ['/', '//b/./c/', '/b/c'],
  ['/', '/.hidden', '/.hidden'],
  ['/', '/a/../b', '/b'],
  ['/', `/${'a'.repeat(255)}/${'b'.repeat(255)}`, `/${'a'.repeat(255)}/${'b'.repeat(255)}`],
  ['C:\\data', 'C:\\data\\a\\b', '/a/b', '\\'],
  ['C:/data', 'C:\\data/a\\b', '/a/b', '\\'],
  ['\\\\server\\share'.slice(1), '\\server\\share\\a', '/a', '\\'],
]

const REFUSED: readonly [dir: string, path: string, why: string, separator?: Separator][] = [
  ['/dir', '/dir', 'is the directory itself'],
  ['/dir', '/dir/', 'is the directory itself'],
  ['/dir', '/dir/a/..', 'is the directory itself'],
  ['/dir', '/dirbeside/a', 'outside'],
  ['/dir', '/dir/../up', 'outside'],
  ['/dir', '/dir/../../..', 'outside'],
  ['/dir', '/x', 'outside'],
  ['/dir', 'dir/a', 'outside'],
  ['/dir', '', 'outside'],
  ['/', '/', 'the directory itself'],
  ['/', '', 'the directory itself'],
  ['/', 'a', 'outside'],
  ['/', '/..', 'the directory itself'],
  ['/dir', '/dir/a\0b', 'NUL'],
  ['/', '/a\0b', 'NUL'],
  ['/dir', '/dir/a\ud800', 'surrogate'],
  ['/dir', '/dir/\udc00b', 'surrogate'],
  ['/dir', '/dir/.fnodes', 'stage'],
  ['/', '/.fnodes/1', 'stage'],
  ['/dir', `/dir/${'a'.repeat(256)}`, '255'],
  ['/dir', `/dir/${'ä'.repeat(128)}`, '255'],
  ['/dir', `/dir${'/abcdefg'.repeat(512)}`, '4095'],
  ['C:\\data', 'D:\\data\\a', 'outside', '\\'],
  ['C:\\data', '..\\a', 'outside', '\\'],
]

describe('paths', () => {
  it.each(CLEANED)('are cut below the directory (%s, %s, %s)', (dir, path, recorded, separator = '/') => {
    expect(new PathCleaner(dir, separator).clean(path)).toBe(recorded)
  })

  it.each(REFUSED)('are refused with the reason (%s, %j, %s)', (dir, path, why, separator = '/') => {
    const cleaner = new PathCleaner(dir, separator)
    expect(() => cleaner.clean(path)).toThrow(
      expect.objectContaining({
        code: 'PATH_REFUSED',
        message: expect.stringContaining(why) as string,
        data: { path, dir: cleaner.dir },
      }),
    )
  })

  it('are as long as a player takes, and no longer', () => {
    const cleaner = new PathCleaner('/dir', '/')
    const longest = `${'/abcdefg'.repeat(511)}/abcdef`
    expect(longest.length).toBe(4095)
    expect(cleaner.clean(`/dir${longest}`)).toBe(longest)
    expect(() => cleaner.clean(`/dir${longest}g`)).toThrow('4095')
  })

  it.each(['dir', '', '.', '/dir/', '/dir/.', '//dir', '/dir/../dir', '/a//b', 'C:/dir'])(
    'have a directory that is absolute and normalised (%j)',
    (dir) => {
      expect(() => new PathCleaner(dir, '/')).toThrow(
        expect.objectContaining({ code: 'PATH_REFUSED', data: { dir } }),
      )
    },
  )
})
