/**
 * The child of the archive's demo: writes what its parent sends into streams of a log archive, and tells how far each is
 * stored, until it is killed, or told that the end has come: then it archives.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { LogArchive, RecoveryLogError, type StreamWriter } from 'recoverylog/node'
import type { FromChild, ToChild } from './demo-archive.ts'

const [dir = '', ...paths] = process.argv.slice(2)

function tell(message: FromChild): void {
  process.send?.(message)
}

const archive = await LogArchive.open({
  dir,
  settings: { archiveDelayMs: 0, storageCleanupDelayMs: 0, renderData: true },
  writer: { writerLeaseMs: 5_000 },
})

/** The one before may have died just now: where a dead process cannot be told from a living one, its lease has to end. */
async function open(path: string): Promise<StreamWriter> {
  for (;;) {
    try {
      return await archive.openStream({ path })
    } catch (error) {
      if (!RecoveryLogError.is(error, 'STREAM_BUSY')) throw error
      await sleep(500)
    }
  }
}

const streams = new Map<string, StreamWriter>()
for (const path of paths) {
  const stream = await open(path)
  streams.set(path, stream)
  tell({ path, stored: stream.resumedAt.sequence, isOpened: true })
}

process.on('message', (message: ToChild) => {
  void (message.lines === undefined ? end() : write(message.path, message.lines))
})

async function write(path: string, lines: readonly string[]): Promise<void> {
  const stream = streams.get(path) as StreamWriter
  await stream.write(lines.map((line) => `${line}\n`).join(''))
  const { sequence } = await stream.flush()
  tell({ path, stored: sequence })
}

async function end(): Promise<void> {
  for (const stream of streams.values()) await stream.close()
  await archive.archiveDue()
  await archive.close()
  process.disconnect()
}
