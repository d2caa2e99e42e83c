/** How a call on a file system is made in each of the three forms, and what it comes to. */
import type { FileHandle } from 'node:fs/promises'
import type { FileSystemCall } from '../../../src/arbitraries/index.ts'
import type { NodeFileSystem } from '../../../src/recorder/fs/index.ts'

export const FORMS = ['sync', 'callback', 'promise'] as const
export type Form = (typeof FORMS)[number]

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
  async outcome(call: FileSystemCall): Promise<unknown> {
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

  async #make(call: FileSystemCall): Promise<unknown> {
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
