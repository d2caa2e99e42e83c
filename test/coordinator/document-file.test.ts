import {
  appendFileSync,
  fdatasync,
  fsync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import type * as NodeFs from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DocumentFile } from '../../src/coordinator/file/document-file.ts'
import { FileStreamStore } from '../../src/coordinator/file/index.ts'
import { encodeRecord } from '../../src/coordinator/file/record-line.ts'
import { codeOf } from '../../src/testing/suite-test.ts'

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof NodeFs>()
  return { ...fs, fsync: vi.fn(fs.fsync), fdatasync: vi.fn(fs.fdatasync) }
})

const document = { kind: 'kind', project: 'proj', name: 'name', dueMs: null, value: 'ours' }
const END = encodeRecord('end')

let dir: string
let opened: DocumentFile[]

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'recoverylog-document-'))
  mkdirSync(join(dir, 'tmp'))
  opened = []
})

afterEach(async () => {
  for (const file of opened) file.close()
  await rm(dir, { recursive: true })
})

/** The document, as another process has it. */
function open(): DocumentFile {
  const file = new DocumentFile(join(dir, 'document'), join(dir, 'tmp'))
  opened.push(file)
  return file
}

const pathOf = (number: number): string => join(dir, 'document', String(number))

/** A document with revisions 1 to `count`, whose values are their numbers. */
async function written(count: number, value: (revision: number) => string = String): Promise<DocumentFile> {
  const file = open()
  for (let revision = 0; revision < count; revision++) await write(file, revision, value(revision + 1))
  return file
}

async function write(file: DocumentFile, revision: number, value = 'ours', others = (): void => undefined) {
  return file.write('a', revision, { ...document, value }, others)
}

describe('document file: who comes first', () => {
  it('create: the first one wins, the others leave nothing', async () => {
    const files = [open(), open(), open()]
    const results = await Promise.allSettled(files.map(async (file, i) => write(file, 0, String(i))))
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(1)
    expect(readdirSync(join(dir, 'tmp'))).toEqual([])
    const winner = results.findIndex(({ status }) => status === 'fulfilled')
    const expected = { ...document, id: 'a', revision: 1, value: String(winner) }
    for (const file of files) expect(file.read()).toEqual(expected)
  })

  it('update: whoever appends first behind a revision has made the next', async () => {
    const file = await written(1)
    const other = open()
    let theirs: Promise<number> | undefined
    const ours = write(file, 1, 'ours', () => {
      theirs = write(other, 1, 'theirs')
    })
    expect(await codeOf(() => ours)).toBe('CONFLICT')
    expect(await theirs).toBe(2)
    expect(file.read()).toMatchObject({ revision: 2, value: 'theirs' })
  })

  it('update: a file that ends right before is gone on with in the next', async () => {
    const file = await written(1)
    await write(file, 1, 'ours', () => {
      appendFileSync(pathOf(1), END)
    })
    expect(file.read()).toMatchObject({ revision: 2, value: 'ours' })
    expect(readdirSync(join(dir, 'document'))).toEqual(['2'])
    expect(open().read()).toMatchObject({ revision: 2, value: 'ours' })
  })

  it('update: a writer that has slept while others have gone on in other files has lost', async () => {
    const file = await written(1)
    const late = write(file, 1, 'late', () => {
      appendFileSync(pathOf(1), END)
      const other = open()
      void write(other, 1, 'theirs')
      appendFileSync(pathOf(2), END)
      open().read()
    })
    expect(await codeOf(() => late)).toBe('CONFLICT')
    expect(readdirSync(join(dir, 'document'))).toEqual(['3'])
    expect(file.read()).toMatchObject({ revision: 2, value: 'theirs' })
  })

  it('a link that has slept: makes a file that nobody takes for the highest', async () => {
    const file = await written(1)
    const stale = readFileSync(pathOf(1))
    appendFileSync(pathOf(1), END)
    await write(file, 1, 'two')
    writeFileSync(pathOf(1), stale)
    for (const each of [file, open()]) expect(each.read()).toMatchObject({ revision: 2, value: 'two' })
    // Nor has its writer made the document.
    const creator = new DocumentFile(join(dir, 'other'), join(dir, 'tmp'))
    const lost = creator.write('a', 0, document, () => {
      mkdirSync(join(dir, 'other'))
      linkSync(pathOf(2), join(dir, 'other', '2'))
    })
    expect(await codeOf(() => lost)).toBe('CONFLICT')
    expect(readdirSync(join(dir, 'other'))).toEqual(['2'])
  })

  it('a process that has died behind an end: others make the next file', async () => {
    const file = await written(2)
    appendFileSync(
      pathOf(1),
      Buffer.concat([END, encodeRecord({ ...document, revision: 3, id: 'a', write: 'x' })]),
    )
    expect(open().read()).toMatchObject({ revision: 2, value: '2' })
    expect(readdirSync(join(dir, 'document'))).toEqual(['2'])
    expect(file.read()).toMatchObject({ revision: 2, value: '2' })
    expect(await write(file, 2)).toBe(3)
  })
})

describe('document file: names', () => {
  it('are synced by whoever writes first, unless it is said that they are', async () => {
    const syncs = vi.mocked(fsync)
    const count = async (body: () => Promise<unknown>): Promise<number> => {
      syncs.mockClear()
      await body()
      return syncs.mock.calls.length
    }
    const file = open()
    expect(await count(async () => write(file, 0))).toBe(3) // the file, its folder, and where that lies
    expect(await count(async () => write(open(), 1))).toBe(0)
    // As its creator has left it that died right behind the link.
    writeFileSync(pathOf(1), readFileSync(pathOf(1), 'latin1').replaceAll(/\n[0-9a-f]{24}"named"\n/g, ''))
    expect(await count(async () => write(open(), 2))).toBe(2)
    expect(await count(async () => write(open(), 3))).toBe(0)
    appendFileSync(pathOf(1), END)
    expect(await count(async () => write(open(), 4))).toBe(2)
  })
})

describe('document file: what others have not synced', () => {
  /** How often the file is synced before what was read may be acted on. */
  async function syncsOf(file: DocumentFile, revision: number): Promise<number> {
    vi.mocked(fdatasync).mockClear()
    expect(file.read()?.revision).toBe(revision)
    await file.settle()
    return vi.mocked(fdatasync).mock.calls.length
  }

  it('is synced once by whoever has read it', async () => {
    const writer = await written(1)
    expect(await syncsOf(writer, 1)).toBe(0)
    const reader = open()
    expect(await syncsOf(reader, 1)).toBe(0) // it was made with this one
    await write(writer, 1)
    expect(await syncsOf(writer, 2)).toBe(0)
    expect(await syncsOf(reader, 2)).toBe(1)
    expect(await syncsOf(reader, 2)).toBe(0)
    // Of one that has died right behind its append.
    appendFileSync(pathOf(1), encodeRecord({ ...document, revision: 3, id: 'a', write: 'x' }))
    for (const file of [writer, reader, open()]) {
      expect(await syncsOf(file, 3)).toBe(1)
      expect(await syncsOf(file, 3)).toBe(0)
    }
  })

  it('is synced before a store answers with it', async () => {
    const clock = { now: () => 0 }
    await using store = await FileStreamStore.open({ dir, clock })
    await store.create('a', document)
    await store.update('a', 1, document)
    await using other = await FileStreamStore.open({ dir, clock })
    vi.mocked(fdatasync).mockClear()
    expect((await other.read('kind', 'a'))?.revision).toBe(2)
    expect(vi.mocked(fdatasync)).toHaveBeenCalledTimes(1)
  })

  it('is not acted on when it cannot be synced', async () => {
    await written(2)
    const file = open()
    file.read()
    vi.mocked(fdatasync).mockImplementationOnce((_fd, done) => {
      done(Object.assign(new Error('no'), { code: 'EIO' }))
    })
    await expect(file.settle()).rejects.toMatchObject({ code: 'EIO' })
    expect(await syncsOf(file, 2)).toBe(1)
  })
})

describe('document file: length', () => {
  it('a long file goes on with the last revision alone', async () => {
    const file = await written(100, (revision) => `${revision} `.padEnd(2000, 'x'))
    const [name = ''] = readdirSync(join(dir, 'document'))
    expect(Number(name)).toBeGreaterThan(1)
    expect(readFileSync(join(dir, 'document', name)).length).toBeLessThan(70_000)
    for (const each of [file, open()]) expect(each.read()?.revision).toBe(100)
  })

  it('revisions longer than what is read at once come whole', async () => {
    const value = (revision: number): string => String(revision).repeat(150_000 * revision)
    const file = await written(3, value)
    for (const each of [file, open()]) expect(each.read()).toMatchObject({ revision: 3, value: value(3) })
  })
})

describe('document file: damage', () => {
  it('a record that was cut, anywhere, is not there, and in nobody’s way', async () => {
    await written(2)
    const whole = readFileSync(pathOf(1))
    const second = whole.lastIndexOf('\n\n') + 1
    for (let length = second; length < whole.length - 1; length++) {
      writeFileSync(pathOf(1), whole.subarray(0, length))
      expect(open().read()).toMatchObject({ revision: 1 })
      const file = open()
      expect(await write(file, 1, 'anew')).toBe(2)
      for (const each of [file, open()]) expect(each.read()).toMatchObject({ revision: 2, value: 'anew' })
    }
    // But for its end alone: that comes with the next, and so it has come first.
    writeFileSync(pathOf(1), whole.subarray(0, -1))
    const file = open()
    expect(file.read()).toMatchObject({ revision: 1 })
    expect(await codeOf(() => write(file, 1, 'anew'))).toBe('CONFLICT')
    expect(file.read()).toMatchObject({ revision: 2, value: '2' })
  })

  it('what was never filled, when the power went, is not there', async () => {
    await written(2)
    const whole = readFileSync(pathOf(1))
    const second = whole.lastIndexOf('\n\n') + 1
    for (const zeros of [2, 30, whole.length - second - 1]) {
      writeFileSync(pathOf(1), Buffer.concat([whole.subarray(0, -zeros - 1), Buffer.alloc(zeros)]))
      const file = open()
      expect(file.read()).toMatchObject({ revision: 1 })
      expect(await write(file, 1)).toBe(2)
    }
  })

  it('a changed byte, anywhere, is CORRUPT with the file', async () => {
    await written(2)
    const whole = readFileSync(pathOf(1))
    for (let at = 0; at < whole.length; at++) {
      for (let bit = 1; bit < 256; bit <<= 1) {
        const turned = Uint8Array.from(whole, (byte, i) => (i === at ? byte ^ bit : byte))
        writeFileSync(pathOf(1), turned)
        const file = new DocumentFile(join(dir, 'document'), join(dir, 'tmp'))
        const place = expect.objectContaining({ path: pathOf(1) }) as Record<string, unknown>
        expect(() => file.read(), `byte ${at} ^ ${bit}`).toThrow(
          expect.objectContaining({ code: 'CORRUPT', data: place }) as Error,
        )
        file.close()
      }
    }
  })

  it('a file that has lost all, or all but its beginning, is CORRUPT', async () => {
    await written(1)
    for (const left of ['', encodeRecord('begin')]) {
      writeFileSync(pathOf(1), left)
      expect(() => open().read()).toThrow(expect.objectContaining({ code: 'CORRUPT' }) as Error)
    }
  })

  it('a file that somebody has removed takes nothing more', async () => {
    const file = await written(1)
    file.read()
    unlinkSync(pathOf(1))
    expect(await codeOf(() => write(file, 1))).toBe('UNAVAILABLE')
    expect(file.read()).toBe(undefined)
    expect(await write(file, 0)).toBe(1)
  })

  it('descriptors: a file that is closed while it is synced is closed behind that', async () => {
    const before = readdirSync('/proc/self/fd').length
    const file = await written(1)
    const writing = write(file, 1)
    file.close()
    expect(await writing).toBe(2)
    expect(readdirSync('/proc/self/fd').length).toBe(before)
  })
})
