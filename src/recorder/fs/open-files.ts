/** Open file descriptions: what a descriptor stands for. */
import { systemError } from './errors.ts'

/** A file as it is recorded. All descriptors of one file share it, so that they go on together with a new fnode. */
export interface Inode {
  /** 0: not recorded, because no name is left, or it is a directory. */
  fnode: number
  /** The path of a property that came with an old log: it is recorded whole after each change. */
  property: string | undefined
  /** How many descriptors are open. */
  opens: number
}

/** Without a descriptor yet, and not recorded unless `fnode` or `property` say how. */
export function newInode(fnode = 0, property?: string): Inode {
  return { fnode, property, opens: 0 }
}

export interface OpenFile {
  readonly fd: number
  /** The path it was opened by. */
  readonly path: string
  readonly inode: Inode
  readonly readable: boolean
  readonly writable: boolean
  /** Writes go to the end, wherever they are asked for, as on Linux. */
  readonly append: boolean
  /** Where reads and writes without a position go on. */
  position: number
}

/** By descriptor: small numbers, so an array finds them fastest. */
export class OpenFiles {
  readonly #files: (OpenFile | undefined)[] = []

  /** `EBADF` for a descriptor that is not open here. */
  get(fd: unknown, syscall: string): OpenFile {
    const file = typeof fd === 'number' ? this.#files[fd] : undefined
    if (file === undefined) throw systemError('EBADF', syscall)
    return file
  }

  find(fd: number): OpenFile | undefined {
    return this.#files[fd]
  }

  add(file: OpenFile): void {
    this.#files[file.fd] = file
  }

  remove(fd: number): void {
    this.#files[fd] = undefined
  }
}
