import { describe, expect, it } from 'vitest'
import { xorshift32 } from '../../bench/workloads.ts'
import { FileWriter, OPEN_FILES_MAX } from '../../src/player/file-writer.ts'
import type { PlayerFileSystem } from '../../src/player/index.ts'
import { memory } from './doubles.ts'

const SLOT_BYTES = 64 * 1024
const LARGE = 20_000

const pathOf = (fnode: number): string => `/staged/${fnode}`

interface Pending {
  readonly offset: number
  readonly length: number
  /** Writes `count` bytes of it, by default all, or fails. */
  finish(count?: number): void
  fail(error: Error): void
}

/** A file system whose asynchronous writes are done when the test says so. */
function slow() {
  const { volume, fs } = memory()
  volume.mkdirSync('/staged')
  const pending: Pending[] = []
  const counts = { open: 0, openMax: 0, opened: 0, sync: 0, unlinked: 0 }
  const write: NonNullable<PlayerFileSystem['write']> = (fd, buffer, offset, length, position, done) => {
    const entry: Pending = {
      offset: position,
      length,
      finish: (count = length) => {
        pending.splice(pending.indexOf(entry), 1)
        done(null, count === 0 ? 0 : fs.writeSync(fd, buffer, offset, count, position))
      },
      fail: (error) => {
        pending.splice(pending.indexOf(entry), 1)
        done(error, 0)
      },
    }
    pending.push(entry)
  }
  const watched: PlayerFileSystem = {
    ...fs,
    openSync: (...args) => {
      counts.opened++
      counts.openMax = Math.max(counts.openMax, ++counts.open)
      return fs.openSync(...args)
    },
    closeSync: (fd) => {
      counts.open--
      fs.closeSync(fd)
    },
    writeSync: (...args) => {
      counts.sync++
      return fs.writeSync(...args)
    },
    unlinkSync: (path) => {
      counts.unlinked++
      fs.unlinkSync(path)
    },
    write,
  }
  const content = (fnode: number): Buffer => volume.readFileSync(pathOf(fnode)) as Buffer
  return { volume, fs: watched, pending, counts, content }
}

/** Finishes what is pending until the promise settles. */
async function settle<T>(promise: Promise<T>, pending: readonly Pending[]): Promise<T> {
  let isSettled = false
  void promise.catch(() => undefined).finally(() => (isSettled = true))
  while (!isSettled) {
    pending[0]?.finish()
    await Promise.resolve()
  }
  return promise
}

const bytesOf = (length: number, fill = 'x'): Buffer => Buffer.alloc(length, fill)

describe('file writer: small writes', () => {
  it('are kept in memory until there are 64 KiB, and go out at once', async () => {
    const { fs, pending, counts, content } = slow()
    const writer = new FileWriter(fs, pathOf)
    writer.create(1)
    for (let at = 0; at <= SLOT_BYTES; at += 64) expect(writer.write(1, at, bytesOf(64), 0, 64)).toBe(true)
    expect(pending.map(({ offset, length }) => [offset, length])).toEqual([[0, SLOT_BYTES]])
    expect(counts.sync).toBe(0)
    expect(writer.sizeOf(1)).toBe(SLOT_BYTES + 64)
    await settle(writer.flush(), pending)
    expect(content(1)).toEqual(bytesOf(SLOT_BYTES + 64))
    expect(counts.open).toBe(0)
  })

  it('over what is still in memory change it there', async () => {
    const { fs, pending, content } = slow()
    const writer = new FileWriter(fs, pathOf)
    writer.create(1)
    writer.write(1, 10, bytesOf(10, 'a'), 0, 10)
    writer.write(1, 12, bytesOf(4, 'b'), 0, 4)
    writer.write(1, 20, bytesOf(3, 'c'), 0, 3)
    const flushed = writer.flush()
    expect(pending.map(({ offset, length }) => [offset, length])).toEqual([[10, 13]])
    await settle(flushed, pending)
    expect(content(1).toString()).toBe(`${'\0'.repeat(10)}aabbbbaaaaccc`)
  })

  it.each([
    { what: 'behind a gap', offset: 101 },
    { what: 'before it', offset: 0 },
  ])('elsewhere in the file write it out first ($what)', async ({ offset }) => {
    const { fs, pending, content } = slow()
    const writer = new FileWriter(fs, pathOf)
    writer.create(1)
    writer.write(1, 50, bytesOf(50, 'a'), 0, 50)
    writer.write(1, offset, bytesOf(20, 'b'), 0, 20)
    expect(pending).toHaveLength(1)
    await settle(writer.flush(), pending)
    const expected = Buffer.alloc(offset === 0 ? 100 : 121)
    expected.fill('a', 50, 100).fill('b', offset, offset + 20)
    expect(content(1)).toEqual(expected)
  })

  it('of files that do not live never reach the disk', async () => {
    const { fs, pending, counts } = slow()
    const writer = new FileWriter(fs, pathOf)
    for (let fnode = 1; fnode <= 1000; fnode++) {
      writer.create(fnode)
      writer.write(fnode, 0, bytesOf(1000), 0, 1000)
      writer.remove(fnode)
    }
    await writer.flush()
    expect([counts.opened, counts.sync, counts.unlinked, pending.length]).toEqual([0, 0, 0, 0])
  })

  it.each([1, 3, 4, 63, 64, 65, 255, 256, 257, 1000])(
    'are copied as they are (%i bytes, any place)',
    async (length) => {
      const { fs, pending, content } = slow()
      const writer = new FileWriter(fs, pathOf)
      const source = Buffer.from(Array.from({ length: length + 8 }, (_, i) => (i * 7 + 1) & 0xff))
      writer.create(1)
      let expected = Buffer.alloc(0)
      for (let begin = 0; begin < 8; begin++) {
        writer.write(1, expected.length, source, begin, begin + length)
        expected = Buffer.concat([expected, source.subarray(begin, begin + length)])
      }
      // A view of a larger buffer: its own beginning counts.
      writer.write(1, expected.length, source.subarray(5), 1, 1 + Math.min(length, length + 2))
      expected = Buffer.concat([expected, source.subarray(6, 6 + length)])
      await settle(writer.flush(), pending)
      expect(content(1)).toEqual(expected)
    },
  )

  it('of more files than there is memory for are written out in turn', async () => {
    const { fs, pending, counts, content } = slow()
    const writer = new FileWriter(fs, pathOf)
    const files = 600
    for (let round = 0; round < 3; round++) {
      for (let fnode = 1; fnode <= files; fnode++) {
        if (round === 0) writer.create(fnode)
        writer.write(fnode, round * 10, bytesOf(10, String(round)), 0, 10)
      }
    }
    expect(counts.openMax).toBeLessThanOrEqual(OPEN_FILES_MAX)
    await settle(writer.flush(), pending)
    for (let fnode = 1; fnode <= files; fnode++) {
      expect(content(fnode).toString()).toBe('0000000000111111111122222222220000'.slice(0, 30))
    }
    expect(counts.open).toBe(0)
  })
})

describe('file writer: large writes', () => {
  it('go straight from the chunk, which is borrowed until they are done', async () => {
    const { fs, pending, content } = slow()
    const writer = new FileWriter(fs, pathOf)
    const [chunk, other] = [bytesOf(2 * LARGE), bytesOf(LARGE)]
    writer.create(1)
    expect(writer.release(chunk)).toBeUndefined()
    writer.write(1, 0, chunk, LARGE, 2 * LARGE)
    writer.write(1, LARGE, chunk, 0, LARGE)
    expect(writer.release(other)).toBeUndefined()
    const released = writer.release(chunk)
    expect(released).toBeInstanceOf(Promise)
    pending[0]?.finish()
    expect(writer.release(chunk)).toBeInstanceOf(Promise)
    await settle(released as Promise<void>, pending)
    expect(writer.release(chunk)).toBeUndefined()
    await writer.flush()
    expect(content(1)).toEqual(bytesOf(2 * LARGE))
  })

  it('are done at once when enough are under way', async () => {
    const { fs, pending, counts, content } = slow()
    const writer = new FileWriter(fs, pathOf)
    const [underWay, files] = [64, 68]
    for (let fnode = 1; fnode <= files; fnode++) {
      writer.create(fnode)
      expect(writer.write(fnode, 0, bytesOf(LARGE), 0, LARGE)).toBe(true)
    }
    expect([pending.length, counts.sync]).toEqual([underWay, 4])
    pending[0]?.finish(1) // what is left of it is still under way
    writer.write(1, LARGE, bytesOf(LARGE), 0, LARGE)
    expect([pending.length, counts.sync]).toEqual([underWay, 5])
    pending[0]?.finish()
    writer.write(1, 2 * LARGE, bytesOf(LARGE), 0, LARGE)
    expect([pending.length, counts.sync]).toEqual([underWay, 5])
    await settle(writer.flush(), pending)
    for (let fnode = 2; fnode <= files; fnode++) expect(content(fnode).equals(bytesOf(LARGE))).toBe(true)
    expect(content(1).equals(bytesOf(3 * LARGE))).toBe(true)
  })

  it('wait when they are long and enough bytes are under way', async () => {
    const { fs, pending, counts, content } = slow()
    const writer = new FileWriter(fs, pathOf)
    const [long, underWay] = [3 * 1024 * 1024, 3]
    for (let fnode = 1; fnode <= underWay + 1; fnode++) {
      writer.create(fnode)
      expect(writer.write(fnode, 0, bytesOf(long), 0, long)).toBe(fnode <= underWay)
    }
    expect(writer.write(4, 0, bytesOf(LARGE), 0, LARGE)).toBe(true)
    expect([pending.length, counts.sync]).toEqual([underWay, 1])
    expect(writer.write(4, LARGE, bytesOf(long), 0, long)).toBe(false)
    const room = writer.room()
    pending[0]?.finish()
    await room
    expect(writer.write(4, LARGE, bytesOf(long), 0, long)).toBe(true)
    expect([pending.length, counts.sync]).toEqual([underWay, 1])
    await settle(writer.flush(), pending)
    for (let fnode = 1; fnode <= underWay; fnode++) expect(content(fnode).equals(bytesOf(long))).toBe(true)
    expect(content(4).equals(bytesOf(LARGE + long))).toBe(true)
  })

  it('over what is in memory come after it, and those behind leave it there', async () => {
    const { fs, pending, content } = slow()
    const writer = new FileWriter(fs, pathOf)
    writer.create(1)
    writer.write(1, 0, bytesOf(100, 'a'), 0, 100)
    writer.write(1, 100, bytesOf(LARGE, 'b'), 0, LARGE)
    expect(pending).toHaveLength(1)
    // Over the first 100 bytes, and over the write under way: refused until that is done.
    expect(writer.write(1, 50, bytesOf(LARGE, 'c'), 0, LARGE)).toBe(false)
    const room = writer.room()
    while (pending.length > 0) pending[0]?.finish()
    await room
    expect(writer.write(1, 50, bytesOf(LARGE, 'c'), 0, LARGE)).toBe(true)
    await settle(writer.flush(), pending)
    const expected = Buffer.concat([bytesOf(50, 'a'), bytesOf(LARGE, 'c'), bytesOf(50, 'b')])
    expect(content(1)).toEqual(expected)
  })

  it('small writes do not overtake them', async () => {
    const { fs, pending, content } = slow()
    const writer = new FileWriter(fs, pathOf)
    writer.create(1)
    writer.write(1, 0, bytesOf(LARGE, 'a'), 0, LARGE)
    writer.write(1, 5, bytesOf(10, 'b'), 0, 10)
    const flushed = writer.flush()
    expect(pending).toHaveLength(1)
    await settle(flushed, pending)
    expect(content(1).subarray(0, 20).toString()).toBe('aaaaabbbbbbbbbbaaaaa')
  })

  it('are written on when only a part of them was', async () => {
    const { fs, pending, content } = slow()
    const writer = new FileWriter(fs, pathOf)
    writer.create(1)
    const bytes = Buffer.from(Array.from({ length: LARGE }, (_, i) => i & 0xff))
    writer.write(1, 0, bytes, 0, LARGE)
    pending[0]?.finish(1)
    pending[0]?.finish(LARGE / 2)
    expect(pending.map(({ offset, length }) => [offset, length])).toEqual([[LARGE / 2 + 1, LARGE / 2 - 1]])
    await settle(writer.flush(), pending)
    expect(content(1)).toEqual(bytes)
  })
})

describe('file writer: without asynchronous writes', () => {
  it('everything is done in the call', async () => {
    const { volume, fs } = memory()
    volume.mkdirSync('/staged')
    const short: PlayerFileSystem = {
      ...fs,
      writeSync: (fd, buffer, offset, length, position) =>
        fs.writeSync(fd, buffer, offset, Math.min(length, 1000), position),
    }
    delete (short as { write?: unknown }).write
    const writer = new FileWriter(short, pathOf)
    const chunk = bytesOf(LARGE, 'a')
    writer.create(1)
    expect(writer.write(1, 0, chunk, 0, LARGE)).toBe(true)
    expect(writer.release(chunk)).toBeUndefined()
    writer.write(1, LARGE, bytesOf(10, 'b'), 0, 10)
    writer.write(1, 3, bytesOf(10, 'c'), 0, 10)
    await writer.flush()
    const expected = Buffer.concat([bytesOf(LARGE, 'a'), bytesOf(10, 'b')])
    expected.fill('c', 3, 13)
    expect(volume.readFileSync(pathOf(1))).toEqual(expected)
  })
})

describe('file writer: removal', () => {
  it('a file that is being written to is removed when that is done', async () => {
    const { fs, pending, counts, volume } = slow()
    const writer = new FileWriter(fs, pathOf)
    writer.create(1)
    writer.write(1, 0, bytesOf(LARGE), 0, LARGE)
    writer.remove(1)
    expect([counts.unlinked, counts.open]).toEqual([0, 1])
    pending[0]?.finish()
    expect([counts.unlinked, counts.open]).toEqual([1, 0])
    await writer.flush()
    expect(volume.readdirSync('/staged')).toEqual([])
  })

  it('an unknown fnode is a fault of the caller', () => {
    const writer = new FileWriter(slow().fs, pathOf)
    expect(() => writer.write(1, 0, bytesOf(1), 0, 1)).toThrow(TypeError)
    expect(() => writer.sizeOf(1)).toThrow(TypeError)
  })

  it('discard waits for what is under way, and removes all', async () => {
    const { fs, pending, counts, volume } = slow()
    const writer = new FileWriter(fs, pathOf)
    for (const fnode of [1, 2, 3]) {
      writer.create(fnode)
      writer.write(fnode, 0, bytesOf(LARGE), 0, LARGE)
    }
    writer.remove(3)
    const discarded = writer.discard()
    expect(counts.unlinked).toBe(0)
    await settle(discarded, pending)
    expect(volume.readdirSync('/staged')).toEqual([])
    expect(counts.open).toBe(0)
  })

  it('discard removes all it can, and tells the first that it cannot', async () => {
    const { fs, pending, volume } = slow()
    const stubborn: PlayerFileSystem = {
      ...fs,
      unlinkSync: (path) => {
        if (path === pathOf(2)) throw Object.assign(new Error('busy'), { code: 'EBUSY' })
        fs.unlinkSync(path)
      },
    }
    const writer = new FileWriter(stubborn, pathOf)
    for (const fnode of [1, 2, 3]) {
      writer.create(fnode)
      writer.write(fnode, 0, bytesOf(LARGE), 0, LARGE)
    }
    await expect(settle(writer.discard(), pending)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      data: { errno: 'EBUSY' },
    })
    expect(volume.readdirSync('/staged')).toEqual(['2'])
  })
})

describe('file writer: failures', () => {
  const NOTHING = new Uint8Array(0)
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  const failure = { code: 'UNAVAILABLE', data: { path: pathOf(1), errno: 'ENOSPC' }, cause: full }

  it.each([
    { what: 'release', call: (writer: FileWriter) => Promise.resolve().then(() => writer.release(NOTHING)) },
    { what: 'room', call: (writer: FileWriter) => writer.room() },
    { what: 'flush', call: (writer: FileWriter) => writer.flush() },
    {
      what: 'the next write',
      call: (writer: FileWriter) =>
        Promise.resolve().then(() => writer.write(1, 0, bytesOf(LARGE), 0, LARGE)),
    },
  ])('of a write under way are told by $what', async ({ call }) => {
    const { fs, pending } = slow()
    const writer = new FileWriter(fs, pathOf)
    writer.create(1)
    writer.write(1, 0, bytesOf(LARGE), 0, LARGE)
    pending[0]?.fail(full)
    await expect(call(writer)).rejects.toMatchObject(failure)
  })

  it('of a write in the call are told by it', () => {
    const { fs } = slow()
    const writer = new FileWriter(
      {
        ...fs,
        write: undefined as never,
        writeSync: () => {
          throw full
        },
      },
      pathOf,
    )
    writer.create(1)
    expect(() => writer.write(1, 0, bytesOf(LARGE), 0, LARGE)).toThrow(
      expect.objectContaining(failure) as Error,
    )
  })

  it('a write that makes no way is one, not a loop', async () => {
    const { fs, pending } = slow()
    const writer = new FileWriter(fs, pathOf)
    writer.create(1)
    writer.write(1, 0, bytesOf(LARGE), 0, LARGE)
    pending[0]?.finish(0)
    await expect(writer.flush()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    const sync = new FileWriter({ ...fs, write: undefined as never, writeSync: () => 0 }, pathOf)
    sync.create(2)
    expect(() => sync.write(2, 0, bytesOf(LARGE), 0, LARGE)).toThrow('UNAVAILABLE')
  })

  it.each([
    ['EACCES', 'DENIED'],
    ['EROFS', 'DENIED'],
    ['EMFILE', 'UNAVAILABLE'],
  ])('of opening are told (%s)', (errno, code) => {
    const { fs } = slow()
    const openSync = (): never => {
      throw Object.assign(new Error('no'), { code: errno })
    }
    const writer = new FileWriter({ ...fs, openSync }, pathOf)
    writer.create(1)
    expect(() => writer.write(1, 0, bytesOf(LARGE), 0, LARGE)).toThrow(
      expect.objectContaining({ code }) as Error,
    )
  })

  it('of removing a file after its last write are told later', async () => {
    const { fs, pending } = slow()
    const unlinkSync = (): never => {
      throw full
    }
    const writer = new FileWriter({ ...fs, unlinkSync }, pathOf)
    writer.create(1)
    writer.write(1, 0, bytesOf(LARGE), 0, LARGE)
    writer.remove(1)
    pending[0]?.finish()
    await expect(writer.flush()).rejects.toMatchObject(failure)
  })
})

describe('file writer: a thousand writes of any size at any place', () => {
  it.each([1, 2, 3, 4, 5, 6])('leave what plain writes leave (seed %i)', async (seed) => {
    const next = xorshift32(seed * 0x9e3779b9)
    const { fs, pending, content, volume } = slow()
    const writer = new FileWriter(fs, pathOf)
    const model = new Map<number, Buffer>()
    const source = Buffer.from(Array.from({ length: 100_000 }, () => next() & 0xff))
    const fnodes = [1, 2, 3, 4, 5]
    for (let i = 0; i < 1000; i++) {
      const place = next() % fnodes.length
      const fnode = fnodes[place] as number
      const known = model.get(fnode)
      if (known === undefined) {
        writer.create(fnode)
        model.set(fnode, Buffer.alloc(0))
      } else if (next() % 50 === 0) {
        writer.remove(fnode)
        model.delete(fnode)
        fnodes[place] = 100 + i // an fnode is never used again
      } else {
        const length = 1 + (next() % ([64, 300, 5000, 70_000][next() % 4] ?? 1))
        const offset = next() % 3 === 0 ? next() % 90_000 : known.length
        const begin = next() % 30_000
        while (!writer.write(fnode, offset, source, begin, begin + length)) {
          await settle(writer.room(), pending)
        }
        const grown = Buffer.alloc(Math.max(known.length, offset + length))
        known.copy(grown)
        source.copy(grown, offset, begin, begin + length)
        model.set(fnode, grown)
        expect(writer.sizeOf(fnode)).toBe(grown.length)
      }
      if (next() % 3 === 0) pending[next() % Math.max(1, pending.length)]?.finish()
    }
    await settle(writer.flush(), pending)
    expect((volume.readdirSync('/staged') as string[]).sort()).toEqual([...model.keys()].map(String).sort())
    for (const [fnode, expected] of model) expect(content(fnode).equals(expected)).toBe(true)
  })
})
