import { createFsFromVolume, Volume } from 'memfs'
import type { Journal, JournalChunk } from '../../src/journal/index.ts'
import { Player } from '../../src/player/index.ts'
import type { PlayerFileSystem, PlayerOptions, PlayEvent, Played } from '../../src/player/index.ts'
import type { FSMHints } from '../../src/fsm/index.ts'
import { DecoratedJournal } from '../../src/testing/decorated-journal.ts'
import { LOG } from './log-builder.ts'

export const NO_HINTS: FSMHints = { log: LOG, liveNodes: [], properties: [] }

export function memory(): { readonly volume: InstanceType<typeof Volume>; readonly fs: PlayerFileSystem } {
  const volume = new Volume()
  return { volume, fs: createFsFromVolume(volume) }
}

/** Cuts what is read into chunks of `sizes` in turn, and spoils each chunk when the next one is asked for. */
export function chunked(journal: Journal, ...sizes: readonly number[]): Journal {
  return new ChunkedJournal(journal, sizes)
}

class ChunkedJournal extends DecoratedJournal {
  readonly #sizes: readonly number[]

  constructor(journal: Journal, sizes: readonly number[]) {
    super(journal)
    this.#sizes = sizes
  }

  override async *read(request: Parameters<Journal['read']>[0]): AsyncGenerator<JournalChunk> {
    let turn = 0
    for await (const { offset, bytes } of super.read(request)) {
      for (let at = 0; at < bytes.length;) {
        const size = Math.max(1, this.#sizes[turn++ % this.#sizes.length] ?? 1)
        const piece = bytes.slice(at, at + size)
        yield { offset: offset + at, bytes: piece }
        at += piece.length
        piece.fill(0xee)
      }
    }
  }
}

export interface Run {
  readonly played: Played
  readonly events: readonly PlayEvent[]
  /** Path to content, as text of one byte a character. */
  readonly tree: Readonly<Record<string, string>>
}

/** Plays a journal to its head into memory. */
export async function playThrough(
  journal: Journal | readonly Journal[],
  options: Partial<PlayerOptions> = {},
): Promise<Run> {
  const { volume, fs } = memory()
  const events: PlayEvent[] = []
  const journals = new Map([journal].flat().map((one) => [one.name, one]))
  const player = new Player({
    hints: NO_HINTS,
    journals,
    dir: '/target',
    fs,
    onEvent: (event) => events.push(event),
    ...options,
  })
  player.finishAtWriteHead()
  const played = await player.play()
  return { played, events, tree: treeOf(volume, '/target') }
}

export function treeOf(volume: InstanceType<typeof Volume>, dir: string): Record<string, string> {
  const tree: Record<string, string> = {}
  const visit = (folder: string): void => {
    for (const name of (volume.readdirSync(folder) as string[]).sort()) {
      const path = `${folder}/${name}`
      if (volume.lstatSync(path).isDirectory()) visit(path)
      else tree[path.slice(dir.length)] = (volume.readFileSync(path) as Buffer).toString('latin1')
    }
  }
  if (volume.existsSync(dir)) visit(dir)
  return tree
}
