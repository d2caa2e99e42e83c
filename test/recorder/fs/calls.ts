/** Sequences of calls on a file system, their generator, and how one is made in each of the three forms. */
import fc from 'fast-check'
import type { FileHandle } from 'node:fs/promises'
import type { NodeFileSystem } from '../../../src/recorder/fs/index.ts'

export const FORMS = ['sync', 'callback', 'promise'] as const
export type Form = (typeof FORMS)[number]

export type Call =
  | { call: 'open'; slot: number; path: string; flags: string | number }
  | { call: 'close'; slot: number }
  | { call: 'write'; slot: number; text: string; position: number | null }
  | { call: 'writev'; slot: number; texts: readonly string[]; position: number | null }
  | { call: 'read'; slot: number; length: number; position: number | null }
  | { call: 'ftruncate'; slot: number; length: number }
  | { call: 'fstat'; slot: number }
  | { call: 'truncate'; path: string; length: number }
  | { call: 'writeFile' | 'appendFile'; path: string; text: string; flag?: string }
  | { call: 'rename' | 'link' | 'copyFile' | 'cp'; path: string; to: string; option?: boolean }
  | { call: 'unlink' | 'stat' | 'lstat' | 'access' | 'readdir' | 'readFile' | 'realpath'; path: string }
  | { call: 'mkdir' | 'rmdir' | 'rm'; path: string; option: boolean; force?: boolean }

const path = fc.constantFrom('/a', '/b', '/d', '/d/a', '/d/b', '/d/e', '/d/e/a', '/e', '/e/a', '/d/')
const slot = fc.integer({ min: 0, max: 2 })
const text = fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('', 'x'.repeat(5000)))
const position = fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 20 }))
const length = fc.integer({ min: 0, max: 20 })
const flags = fc.constantFrom(
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
)
const flag = fc.option(fc.constantFrom('w', 'a', 'wx', 'ax', 'r+'), { nil: undefined })

const call = <Name extends Call['call'], Rest extends object>(
  name: Name,
  rest: { [K in keyof Rest]: fc.Arbitrary<Rest[K]> },
) => fc.record({ call: fc.constant(name), ...rest }) as unknown as fc.Arbitrary<Call>

const anyCall: fc.Arbitrary<Call> = fc.oneof(
  { weight: 4, arbitrary: call('open', { slot, path, flags }) },
  { weight: 2, arbitrary: call('close', { slot }) },
  { weight: 4, arbitrary: call('write', { slot, text, position }) },
  { weight: 1, arbitrary: call('writev', { slot, texts: fc.array(text, { maxLength: 3 }), position }) },
  { weight: 2, arbitrary: call('read', { slot, length, position }) },
  { weight: 2, arbitrary: call('ftruncate', { slot, length }) },
  { weight: 1, arbitrary: call('fstat', { slot }) },
  { weight: 2, arbitrary: call('truncate', { path, length }) },
  { weight: 4, arbitrary: call('writeFile', { path, text, flag }) },
  { weight: 2, arbitrary: call('appendFile', { path, text }) },
  { weight: 4, arbitrary: call('rename', { path, to: path }) },
  { weight: 3, arbitrary: call('link', { path, to: path }) },
  { weight: 2, arbitrary: call('copyFile', { path, to: path, option: fc.boolean() }) },
  { weight: 2, arbitrary: call('cp', { path, to: path, option: fc.constant(true) }) },
  { weight: 3, arbitrary: call('unlink', { path }) },
  { weight: 1, arbitrary: call('stat', { path }) },
  { weight: 1, arbitrary: call('lstat', { path }) },
  { weight: 1, arbitrary: call('access', { path }) },
  { weight: 1, arbitrary: call('readdir', { path }) },
  { weight: 1, arbitrary: call('readFile', { path }) },
  { weight: 1, arbitrary: call('realpath', { path }) },
  { weight: 4, arbitrary: call('mkdir', { path, option: fc.boolean() }) },
  { weight: 2, arbitrary: call('rmdir', { path, option: fc.constant(false) }) },
  { weight: 1, arbitrary: call('rm', { path, option: fc.boolean(), force: fc.boolean() }) },
)

export const callSequence: fc.Arbitrary<Call[]> = fc.array(anyCall, { minLength: 1, maxLength: 40 })

/** A file system with what is open on it. */
export class Side {
  readonly #fs: NodeFileSystem
  readonly #root: string
  readonly #form: Form
  readonly #slots: (number | FileHandle | undefined)[] = []

  constructor(fs: NodeFileSystem, root: string, form: Form) {
    this.#fs = fs
    this.#root = root
    this.#form = form
  }

  /** The result, or the error, without the root: comparable from side to side. */
  async outcome(call: Call): Promise<unknown> {
    try {
      return shown(await this.#make(call))
    } catch (error) {
      const { code, syscall, path, dest, message } = error as NodeJS.ErrnoException & { dest?: string }
      if (code === undefined) throw error
      // Node makes these of several system calls, in more than one way, and words its own errors anew from time to time.
      if (call.call === 'realpath' || call.call === 'rm' || call.call === 'cp' || code.startsWith('ERR_')) {
        return code
      }
      return {
        code,
        syscall,
        path: this.#below(path),
        dest: this.#below(dest),
        message: this.#strip(message),
      }
    }
  }

  async closeAll(): Promise<void> {
    for (const slot of this.#slots.keys()) await this.outcome({ call: 'close', slot })
  }

  async #make(call: Call): Promise<unknown> {
    switch (call.call) {
      case 'open': {
        await this.outcome({ call: 'close', slot: call.slot })
        this.#slots[call.slot] = (await this.#do('open', this.#at(call.path), call.flags)) as
          number | FileHandle
        return 'opened'
      }
      case 'close': {
        const answer = await this.#onSlot(call.slot, 'close', 'close')
        this.#slots[call.slot] = undefined
        return answer
      }
      case 'write': {
        const bytes = Buffer.from(call.text)
        return this.#onSlot(call.slot, 'write', 'write', bytes, 0, bytes.length, call.position)
      }
      case 'writev':
        return this.#onSlot(
          call.slot,
          'writev',
          'writev',
          call.texts.map((text) => Buffer.from(text)),
          call.position,
        )
      case 'read': {
        const buffer = Buffer.alloc(call.length)
        const count = await this.#onSlot(call.slot, 'read', 'read', buffer, 0, buffer.length, call.position)
        return [count, buffer]
      }
      case 'ftruncate':
        return this.#onSlot(call.slot, 'ftruncate', 'truncate', call.length)
      case 'fstat':
        return this.#onSlot(call.slot, 'fstat', 'stat')
      case 'truncate':
        return this.#do('truncate', this.#at(call.path), call.length)
      case 'writeFile':
      case 'appendFile':
        return this.#do(
          call.call,
          this.#at(call.path),
          call.text,
          call.flag === undefined ? {} : { flag: call.flag },
        )
      case 'copyFile':
        return this.#do('copyFile', this.#at(call.path), this.#at(call.to), call.option === true ? 1 : 0)
      case 'cp':
        return this.#do('cp', this.#at(call.path), this.#at(call.to), { recursive: call.option === true })
      case 'rename':
      case 'link':
        return this.#do(call.call, this.#at(call.path), this.#at(call.to))
      case 'mkdir': {
        const made = await this.#do('mkdir', this.#at(call.path), { recursive: call.option })
        return typeof made === 'string' ? this.#below(made) : made
      }
      case 'rmdir':
        return this.#do('rmdir', this.#at(call.path))
      case 'rm':
        return this.#do('rm', this.#at(call.path), { recursive: call.option, force: call.force === true })
      case 'realpath':
        return this.#below((await this.#do('realpath', this.#at(call.path))) as string)
      default:
        return this.#do(call.call, this.#at(call.path))
    }
  }

  async #onSlot(slot: number, name: string, method: string, ...args: unknown[]): Promise<unknown> {
    const open = this.#slots[slot]
    if (open === undefined) return 'not open'
    if (typeof open === 'number') return this.#do(name, open, ...args)
    const answer = await (open as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[
      method
    ]?.(...args)
    const { bytesRead, bytesWritten } = (answer ?? {}) as { bytesRead?: number; bytesWritten?: number }
    return bytesRead ?? bytesWritten ?? answer
  }

  async #do(name: string, ...args: unknown[]): Promise<unknown> {
    type Functions = Record<string, (...args: unknown[]) => unknown>
    const fs = this.#fs as unknown as Functions
    if (this.#form === 'sync') return fs[`${name}Sync`]?.(...args)
    if (this.#form === 'promise') return (this.#fs.promises as unknown as Functions)[name]?.(...args)
    return new Promise((resolve, reject) => {
      fs[name]?.(...args, (error: unknown, value: unknown) => {
        if (error instanceof Error) reject(error)
        else resolve(value)
      })
    })
  }

  #at(path: string): string {
    return this.#root + path
  }

  #below(path: string | undefined): string | undefined {
    if (path === undefined) return undefined
    return this.#strip(path) || '/'
  }

  #strip(text: string): string {
    return this.#root === '' ? text : text.replaceAll(this.#root, '')
  }
}

/** What of a result must be equal. */
function shown(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  if (Array.isArray(value)) return value.map(shown).sort()
  if (typeof value === 'object' && value !== null && 'nlink' in value) {
    const stats = value as { size: number; nlink: number; isDirectory(): boolean }
    return stats.isDirectory() ? 'directory' : { size: stats.size, nlink: stats.nlink }
  }
  return value
}
