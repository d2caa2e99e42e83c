import * as nodeFs from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FileJournal } from '../../src/journal/file/index.ts'
import type { FileJournalOptions, JournalFileSystem } from '../../src/journal/file/index.ts'
import type { JournalUnderTest } from '../../src/testing/index.ts'

/** A file journal as the suite wants it: it can be killed, damaged, and its disk can fail. */
export async function fileJournalUnderTest(
  options: FileJournalOptions & { dir: string },
): Promise<JournalUnderTest> {
  const { dir } = options
  const disk = breakableDisk()
  return {
    journal: await FileJournal.open({ ...options, fs: disk.fs }),
    open: () => FileJournal.open(options),
    kill: async () => disk.kill(),
    recreate: async () => {
      await rm(dir, { recursive: true })
      return FileJournal.open(options)
    },
    damage: async (offset) => damageSegment(dir, offset),
    loseAnswer: () => disk.failOnce(options.durability === 'process' ? 'writevSync' : 'fdatasync'),
  }
}

export interface BreakableDisk {
  readonly fs: JournalFileSystem
  /** From now on no call reaches the disk, and none is answered well: so the process looks to others. */
  kill(): void
  /** The next call of this name fails with EIO, without being done. */
  failOnce(call: 'writevSync' | 'fdatasync'): void
}

function breakableDisk(): BreakableDisk {
  let isDead = false
  const failing = new Set<string>()
  const fails = (name: string): boolean => isDead || failing.delete(name)
  const error = (): Error => Object.assign(new Error('EIO: an injected fault'), { code: 'EIO' })
  const fs = Object.create(nodeFs) as JournalFileSystem
  for (const name of [
    'writevSync',
    'openSync',
    'linkSync',
    'fdatasyncSync',
    'fsyncSync',
    'ftruncateSync',
  ] as const) {
    Object.defineProperty(fs, name, {
      value: (...args: unknown[]) => {
        if (fails(name)) throw error()
        return (nodeFs[name] as (...args: unknown[]) => unknown)(...args)
      },
    })
  }
  Object.defineProperty(fs, 'fdatasync', {
    value: (fd: number, answer: (error: Error | null) => void) => {
      if (fails('fdatasync')) setImmediate(answer, error())
      else nodeFs.fdatasync(fd, answer)
    },
  })
  return { fs, kill: () => (isDead = true), failOnce: (call) => failing.add(call) }
}

/** Changes a stored byte. The one test that does so has made one segment of one epoch, of groups of one size. */
function damageSegment(dir: string, offset: number): void {
  for (const name of nodeFs.readdirSync(dir)) {
    if (!name.endsWith('.segment')) continue
    const path = join(dir, name)
    const bytes = nodeFs.readFileSync(path)
    const at = positionOf(bytes, offset)
    bytes[at] = (bytes[at] as number) ^ 0xff
    nodeFs.writeFileSync(path, bytes)
  }
}

/** Where an offset lies in a segment that begins at 0: format.ts has the layout. */
function positionOf(bytes: Buffer, offset: number): number {
  let position = 80
  let begin = 0
  for (;;) {
    const contentBytes = bytes.readUInt32LE(position + 12)
    const contentAt = position + 40 + bytes.readUInt32LE(position + 16)
    if (offset < begin + contentBytes) return contentAt + offset - begin
    begin += contentBytes
    position = contentAt + contentBytes
  }
}
