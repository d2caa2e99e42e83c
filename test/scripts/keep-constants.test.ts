import { describe, expect, it } from 'vitest'
import { withConstants } from '../../scripts/keep-constants.ts'

describe('keep constants: what a bundle gets back', () => {
  it.each([
    ['a number', 'var a = 1;', 'const a = 1;'],
    ['a class', 'var A = class {\n};', 'const A = class {\n};'],
    ['a name taken out of an object', 'var { a, b: c } = o;', 'const { a, b: c } = o;'],
    [
      'a table, whose elements change',
      'var t = [];\nt[0] = 1;\nt.length++;',
      'const t = [];\nt[0] = 1;\nt.length++;',
    ],
    ['several', 'var a = 1;\nf();\nvar b = 2;', 'const a = 1;\nf();\nconst b = 2;'],
  ])('%s', (_, code, expected) => {
    expect(withConstants(code)).toBe(expected)
  })

  it.each([
    ['without a value', 'var a;'],
    ['assigned in a function', 'var a = 1;\nfunction f() {\n  a = 2;\n}'],
    ['added to', 'var a = 1;\nconst f = () => a += 2;'],
    ['given a value where there is none', 'var a = f();\na ??= 2;'],
    ['counted', 'var a = 1;\na++;'],
    ['counted before', 'var a = 1;\n--a;'],
    ['taken out of an array', 'var a = 1;\n[a] = [2];'],
    ['taken out of an object', 'var a = 1, b = 2;\n({ a, c: [b = 3] } = o);'],
    ['what is left of an array', 'var a = [];\n[, ...a] = o;'],
    ['what is left of an object', 'var a = {};\n({ ...a } = o);'],
    ['counted by a loop', 'var a = 1;\nfor (a of [1]) f();'],
    ['named by a loop', "var a = '';\nfor (a in {}) f();"],
    ['declared twice', 'var a = 1;\nvar a = 2;'],
    ['beside one that changes', 'var a = 1, b = 2;\nb = 3;'],
    ['within a function', 'function f() {\n  var a = 1;\n}'],
  ])('not what is %s', (_, code) => {
    expect(withConstants(code)).toBe(code)
  })

  it('leaves names alone that are only like an assigned one', () => {
    expect(withConstants('var a = 1;\no.a = 2;\n-a;')).toBe('const a = 1;\no.a = 2;\n-a;')
  })
})
