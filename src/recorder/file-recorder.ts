import type { SyncFileSystem } from '../parts/index.ts'
import { WRITE_FRAME_BYTES_MAX } from '../wire/index.ts'
import type { LogPosition, OpenFlags, WaitOptions } from './recorder-options.ts'
import type { Recorder } from './recorder.ts'

const ZERO_BYTE = new Uint8Array(1)

export interface FileRecorderOptions extends OpenFlags {
  readonly recorder: Recorder
  /** Where the file is: `node:fs`, memfs, or any of that shape. */
  readonly fs: SyncFileSystem
  /** Absolute, in the recorder's directory. */
  readonly path: string
}

/**
 * A file handle that writes the disk and a recorder, in this order, and records exactly what took effect: of a short
 * write what was written, of a failed call nothing. One handle for each file; for more, and for names, directories and
 * the shape of `node:fs` there is the recorded file system.
 *
 * ```ts
 * const file = FileRecorder.open({ recorder, fs, path: '/data/db', create: true })
 * file.write(bytes, 0)
 * await file.sync()
 * file.close()
 * ```
 */
export class FileRecorder {
  readonly #recorder: Recorder
  readonly #fs: SyncFileSystem
  readonly #fd: number
  #fnode: number
  /** Where a write without a position goes. */
  #position = 0

  /**
   * Opens for reading and writing. First the recorder is asked, with the errors of `Recorder.open`, then the disk, with
   * its own; only then it is recorded.
   */
  static open({ recorder, fs, path, ...flags }: FileRecorderOptions): FileRecorder {
    const known = recorder.checkOpen(path, flags)
    const fd = fs.openSync(path, known !== undefined ? 'r+' : flags.exclusive === true ? 'wx+' : 'w+')
    try {
      const file = new FileRecorder(recorder, fs, fd, known ?? recorder.create(path))
      if (known !== undefined && flags.truncate === true) file.truncate(0)
      return file
    } catch (error) {
      fs.closeSync(fd)
      throw error
    }
  }

  private constructor(recorder: Recorder, fs: SyncFileSystem, fd: number, fnode: number) {
    this.#recorder = recorder
    this.#fs = fs
    this.#fd = fd
    this.#fnode = fnode
  }

  /** A truncation or a rewrite changes it. */
  get fnode(): number {
    return this.#fnode
  }

  /** In bytes. */
  get size(): number {
    return this.#fs.fstatSync(this.#fd).size
  }

  /**
   * Writes at `position`, by default behind the write before, and answers how many bytes were written: what is recorded.
   * `BACKLOGGED` before the disk is touched.
   */
  write(data: Uint8Array, position = this.#position): number {
    this.#recorder.admit(WRITE_FRAME_BYTES_MAX + data.length)
    const written = this.#fs.writeSync(this.#fd, data, 0, data.length, position)
    this.#position = position + written
    if (written > 0 && this.#isNamed) {
      this.#recorder.write(this.#fnode, position, written === data.length ? data : data.subarray(0, written))
    }
    return written
  }

  /** Reads into `buffer` from `position`, and answers how many bytes there were. */
  read(buffer: Uint8Array, position: number): number {
    return this.#fs.readSync(this.#fd, buffer, 0, buffer.length, position)
  }

  /** Makes the file `size` bytes long. A shorter one is a new fnode with all of its names. */
  truncate(size: number): void {
    const before = this.size
    const named = this.#isNamed
    this.#recorder.admit(size < before ? size + WRITE_FRAME_BYTES_MAX : WRITE_FRAME_BYTES_MAX + 1)
    this.#fs.ftruncateSync(this.#fd, size)
    if (!named) return
    if (size > before) this.#recorder.write(this.#fnode, size - 1, ZERO_BYTE)
    else if (size < before) this.#fnode = this.#recorder.replace(this.#fnode, size, this.#content)
  }

  /**
   * Rewrites the file as a new fnode when its history outweighs its size (`Recorder.outweighs`), while writing goes on.
   * Answers whether it was worth it.
   */
  async boundHistory({ signal }: WaitOptions = {}): Promise<boolean> {
    const { size } = this
    if (!this.#recorder.outweighs(this.#fnode, size)) return false
    const onReplaced = (fnode: number): void => {
      this.#fnode = fnode
    }
    const read = this.#content
    await this.#recorder.rewrite(this.#fnode, {
      size,
      read,
      onReplaced,
      ...(signal !== undefined && { signal }),
    })
    return true
  }

  /** Resolves when everything recorded before has committed. The file on the disk is not synced: the log has it. */
  sync(options?: WaitOptions): Promise<LogPosition> {
    return this.#recorder.barrier(options)
  }

  /** Closes the file, not the recorder. */
  close(): void {
    this.#fs.closeSync(this.#fd)
  }

  /** A file unlinked while open goes on, and is recorded no more. */
  get #isNamed(): boolean {
    return this.#recorder.fsm.isLive(this.#fnode)
  }

  readonly #content = (offset: number, length: number): Uint8Array => {
    const content = new Uint8Array(length)
    let filled = 0
    while (filled < length) {
      const got = this.#fs.readSync(this.#fd, content, filled, length - filled, offset + filled)
      if (got === 0) break
      filled += got
    }
    return content.subarray(0, filled)
  }
}
