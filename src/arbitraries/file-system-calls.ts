import fc from 'fast-check'

/**
 * A call on a file system of the shape of `node:fs`, by the name that it has in all three forms. Paths are below the root
 * of whatever it is made on. What is open lies in one of three slots; an `open` closes what lay in its slot before.
 */
export type FileSystemCall =
  | { call: 'open'; slot: number; path: string; flags: string | number }
  | { call: 'close' | 'fstat'; slot: number }
  | { call: 'write'; slot: number; text: string; position: number | null }
  | { call: 'writev'; slot: number; texts: readonly string[]; position: number | null }
  | { call: 'read'; slot: number; length: number; position: number | null }
  | { call: 'ftruncate'; slot: number; length: number }
  | { call: 'truncate'; path: string; length: number }
  | { call: 'writeFile' | 'appendFile'; path: string; text: string; flag?: string }
  | { call: 'rename' | 'link' | 'copyFile' | 'cp'; path: string; to: string; option?: boolean }
  | { call: 'unlink' | 'stat' | 'lstat' | 'access' | 'readdir' | 'readFile' | 'realpath'; path: string }
  | { call: 'mkdir' | 'rmdir' | 'rm'; path: string; option: boolean; force?: boolean }

/** Few names, some of which are folders to some and files to others, one with a slash at its end. */
const PATHS = ['/a', '/b', '/d', '/d/a', '/d/b', '/d/e', '/d/e/a', '/e', '/e/a', '/d/']

/** Every way to open that Node has a letter for, and some by number: read and write, O_CREAT, O_TRUNC. */
const FLAGS = [
  'r',
  'r+',
  'w',
  'wx',
  'w+',
  'wx+',
  'a',
  'ax',
  'a+',
  'ax+',
  'rs+',
  0,
  1,
  2,
  0o102,
  0o1000,
  0o1002,
]

/**
 * Sequences of calls on one file system, some of which fail on any. The same sequence made on two of them tells whether
 * they differ, in results, errors or what is left.
 */
export function fileSystemCalls(
  options: { readonly maxLength?: number } = {},
): fc.Arbitrary<FileSystemCall[]> {
  const { maxLength = 40 } = options
  return fc.array(fc.oneof(...onOpenFiles(), ...onPaths()), { minLength: 1, maxLength })
}

interface Weighted {
  readonly weight: number
  readonly arbitrary: fc.Arbitrary<FileSystemCall>
}

type Fields = Readonly<Record<string, fc.Arbitrary<unknown>>>

/** Calls of one or several names with the same fields. */
function calls(weight: number, names: readonly FileSystemCall['call'][], fields: Fields): Weighted {
  const arbitrary = fc.record({ call: fc.constantFrom(...names), ...fields })
  return {
    weight: weight * names.length,
    arbitrary: arbitrary as fc.Arbitrary<unknown> as Weighted['arbitrary'],
  }
}

function texts(): fc.Arbitrary<string> {
  return fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('', 'x'.repeat(5000)))
}

function onOpenFiles(): Weighted[] {
  const slot = fc.integer({ min: 0, max: 2 })
  const length = fc.integer({ min: 0, max: 20 })
  const position = fc.option(length)
  return [
    calls(4, ['open'], { slot, path: fc.constantFrom(...PATHS), flags: fc.constantFrom(...FLAGS) }),
    calls(2, ['close'], { slot }),
    calls(1, ['fstat'], { slot }),
    calls(4, ['write'], { slot, text: texts(), position }),
    calls(1, ['writev'], { slot, texts: fc.array(texts(), { maxLength: 3 }), position }),
    calls(2, ['read'], { slot, length, position }),
    calls(2, ['ftruncate'], { slot, length }),
  ]
}

function onPaths(): Weighted[] {
  const path = fc.constantFrom(...PATHS)
  const length = fc.integer({ min: 0, max: 20 })
  const flag = fc.option(fc.constantFrom('w', 'a', 'wx', 'ax', 'r+', 'r'), { nil: undefined })
  return [
    calls(2, ['truncate'], { path, length }),
    calls(4, ['writeFile'], { path, text: texts(), flag }),
    calls(2, ['appendFile'], { path, text: texts() }),
    calls(3, ['rename', 'link'], { path, to: path }),
    calls(2, ['copyFile'], { path, to: path, option: fc.boolean() }),
    calls(2, ['cp'], { path, to: path, option: fc.constant(true) }),
    calls(3, ['unlink'], { path }),
    calls(1, ['stat', 'lstat', 'access', 'readdir', 'readFile', 'realpath'], { path }),
    calls(4, ['mkdir'], { path, option: fc.boolean() }),
    calls(2, ['rmdir'], { path, option: fc.constant(false) }),
    calls(1, ['rm'], { path, option: fc.boolean(), force: fc.boolean() }),
  ]
}
