import { describe, expect, it } from 'vitest'
import { layOut } from '../../src/player/layout.ts'
import type { FileLink, Layout, LayoutOptions } from '../../src/player/layout.ts'

function lay(paths: readonly string[], options: Partial<LayoutOptions> = {}): Layout {
  const links = paths.map((path, i): FileLink => ({ path, fnode: i + 1 }))
  return layOut({
    links,
    properties: [],
    platform: 'posix',
    directoryMarkers: false,
    sizeOf: () => 0,
    sameName: () => undefined,
    ...options,
  })
}

/** A file system to which names differ in more than case. */
const ignoringCase: LayoutOptions['sameName'] = (names) => {
  const seen = new Map<string, string>()
  for (const name of names) {
    const other = seen.get(name.toLowerCase())
    if (other !== undefined) return [other, name]
    seen.set(name.toLowerCase(), name)
  }
  return undefined
}

function refusal(path: string, other: string, rule: string): Error {
  return expect.objectContaining({ code: 'PATH_REFUSED', data: { path, other, rule } }) as Error
}

describe('layout: what the tree will be', () => {
  it('folders come before what lies in them, each once', () => {
    expect(lay(['a/b/c', '/a/b/d/', 'a/e', 'f']).folders).toEqual(['/a', '/a/b'])
  })

  it('links have the one spelling of their paths', () => {
    expect(lay(['x', '//y/z/']).links).toEqual([
      { path: '/x', fnode: 1 },
      { path: '/y/z', fnode: 2 },
    ])
  })

  it('properties lie beside links', () => {
    const { folders, properties } = lay([], { properties: [{ path: 'p/q', content: 'text' }] })
    expect(folders).toEqual(['/p'])
    expect(properties).toEqual([{ path: '/p/q', content: 'text' }])
  })

  it.each([
    {
      what: 'two links of one path',
      paths: ['/a', 'a/'],
      path: 'a/',
      other: '/a',
      rule: 'two links of one path',
    },
    {
      what: 'a file, then its folder',
      paths: ['/a', '/a/b'],
      path: '/a/b',
      other: '/a',
      rule: 'a file has the name of its folder',
    },
    {
      what: 'a folder, then a file',
      paths: ['/a/b', '/a'],
      path: '/a',
      other: '/a/b',
      rule: 'a folder has its name',
    },
    {
      what: 'deeper',
      paths: ['/a/b/c', '/a/b/c/d/e'],
      path: '/a/b/c/d/e',
      other: '/a/b/c',
      rule: 'a file has the name of its folder',
    },
  ])('what cannot be there together is refused ($what)', ({ paths, path, other, rule }) => {
    expect(() => lay(paths)).toThrow(refusal(path, other, rule))
  })

  it('a property cannot be where a link is', () => {
    const properties = [{ path: 'a/', content: '' }]
    expect(() => lay(['/a'], { properties })).toThrow(refusal('a/', '/a', 'two links of one path'))
  })

  it.each([
    { paths: ['/a/X', '/a/x'], path: '/a/x', other: '/a/X' },
    { paths: ['/A/1', '/a/2'], path: '/a', other: '/A' },
    { paths: ['/.FNODES/1'], path: '/.FNODES', other: '/.fnodes' },
  ])('names that are one to the file system are refused ($paths)', ({ paths, path, other }) => {
    expect(() => lay(paths, { sameName: ignoringCase })).toThrow(
      refusal(path, other, 'the file system takes two names for one'),
    )
    expect(lay(paths).links).toHaveLength(paths.length)
  })

  it('the file system is asked only of names that some file system takes for one', () => {
    const asked: (readonly string[])[] = []
    const sameName: LayoutOptions['sameName'] = (names) => {
      asked.push(names)
      return undefined
    }
    // Case, the composition of letters, compatibility forms, sharp s, and what Windows drops at the end.
    lay(
      [
        '/a',
        '/b',
        '/B',
        '/d/\u00e9',
        '/d/e\u0301',
        '/K',
        '/\u212a',
        '/straße',
        '/STRASSE',
        '/t',
        '/t.',
        '/T ',
      ],
      { sameName },
    )
    expect(asked.map((names) => names.join('|')).sort()).toEqual(
      ['b|B', 'K|\u212a', 'straße|STRASSE', 't|t.|T ', '\u00e9|e\u0301'].sort(),
    )
  })

  describe('directory markers', () => {
    const sizeOf = (fnode: number): number => (fnode === 1 ? 0 : 7)

    it('an empty one makes its folder and nothing else', () => {
      const { folders, links } = lay(['/a/b/.emptydir'], { directoryMarkers: true, sizeOf })
      expect([folders, links]).toEqual([['/a', '/a/b'], []])
    })

    it('the root is there anyway', () => {
      expect(lay(['/.emptydir'], { directoryMarkers: true, sizeOf })).toEqual({
        folders: [],
        links: [],
        properties: [],
      })
    })

    it('one that has content is a file', () => {
      const { links } = lay(['/a', '/b/.emptydir'], { directoryMarkers: true, sizeOf })
      expect(links.map(({ path }) => path)).toEqual(['/a', '/b/.emptydir'])
    })

    it('what lies under /.recoverylog/ is left out, and that alone', () => {
      const { links, folders } = lay(['/.recoverylog/new/1', '/.recoverylogs/x', '/a/.recoverylog/y'], {
        directoryMarkers: true,
      })
      expect(links.map(({ path }) => path)).toEqual(['/.recoverylogs/x', '/a/.recoverylog/y'])
      expect(folders).toEqual(['/.recoverylogs', '/a', '/a/.recoverylog'])
    })

    it('without the option markers and reserved names are files', () => {
      const { links } = lay(['/.emptydir', '/.recoverylog/x'], { sizeOf })
      expect(links.map(({ path }) => path)).toEqual(['/.emptydir', '/.recoverylog/x'])
    })

    it('what is left out is confined all the same', () => {
      expect(() => lay(['/.recoverylog/../x'], { directoryMarkers: true })).toThrow(/a piece "\.\."/)
    })

    it('a marker cannot make a folder where a file is', () => {
      const paths = ['/a/.emptydir', '/a']
      expect(() => lay(paths, { directoryMarkers: true })).toThrow(
        refusal('/a', '/a/.emptydir', 'a folder has its name'),
      )
    })
  })
})
