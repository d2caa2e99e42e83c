import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  assertStreamName,
  assertStreamPath,
  joinStreamPath,
  normalizeStreamId,
  parseStreamAddress,
  projectFault,
  secretFault,
  splitStreamPath,
  streamNameFault,
  streamPathFault,
  tagFault,
  toBase64Url,
  toHex,
  utf8Bytes,
} from '../../src/names/index.ts'
import type { NameRule } from '../../src/names/index.ts'

const name = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9:_.-]{0,9}(\/[a-zA-Z0-9][a-zA-Z0-9:_.-]{0,9}){0,3}$/)

describe('names: which rule is broken, and where', () => {
  it.each<[string, NameRule, number]>([
    ['', 'empty', 0],
    ['a'.repeat(4097), 'too long', 0],
    ['é'.repeat(2049), 'too long', 0], // lengths are judged before characters
    ['/a', 'segment start', 0],
    ['ab//c', 'segment start', 3],
    ['ab/+c', 'segment start', 3],
    ['ab/.c', 'segment start', 3],
    ['😀', 'segment start', 0],
    ['ab+', 'character', 2],
    ['a😀b c', 'character', 1],
    ['ab/c d', 'character', 4],
    ['ab/', 'separator at end', 2],
  ])('%j: %s at %i', (value, rule, index) => {
    expect(streamNameFault(value)).toMatchObject({ rule, index, part: 'name' })
    expect(() => {
      assertStreamName(value, 'prefix')
    }).toThrow(
      expect.objectContaining({
        code: 'NAME_INVALID',
        data: { rule, index, part: 'prefix', value },
      }) as Error,
    )
  })

  it('good names have no fault', () => {
    fc.assert(
      fc.property(name, (value) => {
        expect(streamNameFault(value)).toBeUndefined()
      }),
    )
  })

  it('paths: the part that breaks the rule is told', () => {
    expect(streamPathFault('foo/+/b r')).toMatchObject({ part: 'name', rule: 'character', index: 1 })
    expect(streamPathFault('f o/+/bar')).toMatchObject({ part: 'prefix', rule: 'character', index: 1 })
    expect(streamPathFault('foo/bar')).toMatchObject({ part: 'path', rule: 'no separator' })
    expect(() => {
      assertStreamPath('foo')
    }).toThrow(/^NAME_INVALID: path: has no segment/)
  })

  it('paths: joined and split again', () => {
    fc.assert(
      fc.property(name, name, (prefix, stream) => {
        const path = joinStreamPath(prefix, stream)
        expect(streamPathFault(path)).toBeUndefined()
        expect(splitStreamPath(path)).toEqual({ prefix, name: stream, hasSeparator: true })
      }),
    )
  })

  it('tags, projects and secrets', () => {
    expect(tagFault('k'.repeat(65), '')).toMatchObject({ part: 'tag key', rule: 'too long' })
    expect(tagFault('a b', '')).toMatchObject({ part: 'tag key', rule: 'character', index: 1 })
    expect(tagFault('k', 'é'.repeat(2049))).toMatchObject({ part: 'tag value', rule: 'too long' })
    expect(projectFault('')).toMatchObject({ rule: 'empty' })
    expect(projectFault('1a')).toMatchObject({ rule: 'segment start', index: 0 })
    expect(projectFault('aB')).toMatchObject({ rule: 'character', index: 1 })
    expect(secretFault(new Uint8Array(35))).toMatchObject({ rule: 'length', part: 'secret' })
  })

  it('addresses: what is none', () => {
    for (const address of ['', 'logdog://', 'logdog://host', 'logdog://host/p/%', 'http://host/p/a/+/b']) {
      expect(() => parseStreamAddress(address)).toThrow(/^NAME_INVALID/)
    }
    expect(() => normalizeStreamId('x')).toThrow(/^NAME_INVALID/)
  })

  it('encodings: as the system has them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'))
        expect(toBase64Url(bytes)).toBe(Buffer.from(bytes).toString('base64url'))
      }),
    )
    expect(utf8Bytes('é😀')).toBe(6)
    expect(toHex(createHash('sha256').digest())).toHaveLength(64)
  })
})
