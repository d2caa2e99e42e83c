import { beforeEach, describe, expect, it } from 'vitest'
import { DirectoryLock } from '../../src/directory/directory-lock.ts'
import type { ProcessIdentity } from '../../src/directory/process-identity.ts'
import type { SyncFileSystem } from '../../src/parts/index.ts'
import { memoryFileSystem, Processes } from '../support/directory.ts'

let fs: SyncFileSystem
let processes: Processes
beforeEach(() => {
  fs = memoryFileSystem()
  processes = new Processes()
})

function take(identity: ProcessIdentity, author: number, takeLock = false): DirectoryLock {
  return DirectoryLock.take({ fs, dir: '/data/state', author, identity, time: 1000, takeLock })
}

function locks(): string[] {
  return fs.readdirSync('/data').map(String).sort()
}

describe('the lock of a directory', () => {
  it('lock: a second taker is refused, and told who holds it', () => {
    take(processes.start(10), 7)
    expect(() => take(processes.start(11), 8)).toThrow(
      expect.objectContaining({
        code: 'DIRECTORY_IN_USE',
        data: expect.objectContaining({
          dir: '/data/state',
          judgement: 'alive',
          holder: { machine: 'm', boot: 'b', pidNamespace: 'n', pid: 10, startTime: '1' },
          lock: '/data/state.lock-1',
          time: 1000,
        }) as unknown,
      }) as Error,
    )
    expect(locks()).toEqual(['state.lock-1'])
  })

  it('lock: a dead holder makes way, and its author is told', () => {
    take(processes.start(10), 7)
    processes.kill(10)
    const lock = take(processes.start(11), 8)
    expect(lock.authorsBefore).toEqual([7])
    expect(locks()).toEqual(['state.lock-1', 'state.lock-2'])
    lock.forgetBefore()
    expect(locks()).toEqual(['state.lock-2'])
  })

  it('lock: a holder whose pid was given to another process is dead', () => {
    take(processes.start(10, '1'), 7)
    processes.start(10, '2')
    expect(take(processes.start(11), 8).authorsBefore).toEqual([7])
  })

  it('lock: takeLock takes it from a living holder, whose release then changes nothing', () => {
    const first = take(processes.start(10), 7)
    const second = take(processes.start(11), 8, true)
    first.release()
    expect(() => take(processes.start(12), 9)).toThrow(
      expect.objectContaining({ code: 'DIRECTORY_IN_USE' }) as Error,
    )
    second.release()
    expect(take(processes.start(12), 9).authorsBefore).toEqual([7, 8])
  })

  it('lock: a release may be repeated, and leaves the number behind so that it is never used again', () => {
    const lock = take(processes.start(10), 7)
    lock.release()
    lock.release()
    expect(locks()).toEqual(['state.lock-1'])
    take(processes.start(11), 8).forgetBefore()
    expect(locks()).toEqual(['state.lock-2'])
  })

  it('lock: of two takers that both found the holder dead one gets it', () => {
    take(processes.start(10), 7)
    processes.kill(10)
    const rival = processes.start(11)
    let isInterrupted = false
    const linkSync = fs.linkSync.bind(fs)
    fs.linkSync = (from, to) => {
      if (!isInterrupted) {
        isInterrupted = true
        take(rival, 8)
      }
      linkSync(from, to)
    }
    expect(() => take(processes.start(12), 9)).toThrow(
      expect.objectContaining({
        code: 'DIRECTORY_IN_USE',
        data: expect.objectContaining({ lock: '/data/state.lock-2' }) as unknown,
      }) as Error,
    )
  })

  it('lock: a slow taker whose number was used and removed meanwhile does not hold', () => {
    take(processes.start(10), 7)
    processes.kill(10)
    let isInterrupted = false
    const linkSync = fs.linkSync.bind(fs)
    fs.linkSync = (from, to) => {
      if (!isInterrupted) {
        isInterrupted = true
        take(processes.start(11), 8).release() // number 2
        take(processes.start(12), 9).forgetBefore() // number 3 holds, 1 and 2 are gone
      }
      linkSync(from, to)
    }
    expect(() => take(processes.start(13), 10)).toThrow(
      expect.objectContaining({
        code: 'DIRECTORY_IN_USE',
        data: expect.objectContaining({ lock: '/data/state.lock-3' }) as unknown,
      }) as Error,
    )
    expect(locks()).toEqual(['state.lock-3'])
  })

  it.each(['', '{}', 'no json', '{"holder":{"pid":"x"},"author":1,"time":1,"released":false}'])(
    'lock: a file that is no lock of ours is not judged (%j)',
    (content) => {
      const fd = fs.openSync('/data/state.lock-4', 'w')
      const bytes = new TextEncoder().encode(content)
      fs.writeSync(fd, bytes, 0, bytes.length, 0)
      fs.closeSync(fd)
      expect(() => take(processes.start(10), 7)).toThrow(
        expect.objectContaining({
          code: 'DIRECTORY_IN_USE',
          data: expect.objectContaining({ judgement: 'unknown' }) as unknown,
        }) as Error,
      )
      expect(take(processes.start(10), 7, true).authorsBefore).toEqual([])
    },
  )

  it('lock: a directory in the root folder', () => {
    const lock = DirectoryLock.take({
      fs,
      dir: '/top',
      author: 1,
      identity: processes.start(1),
      time: 0,
      takeLock: false,
    })
    expect(fs.readdirSync('/').map(String)).toContain('top.lock-1')
    lock.release()
  })

  it('lock: what a full disk says is thrown, and nothing is left', () => {
    fs.fsyncSync = () => {
      throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
    }
    expect(() => take(processes.start(10), 7)).toThrow(expect.objectContaining({ code: 'ENOSPC' }) as Error)
  })
})
