/**
 * Keeps the part of the log that a recovery reads bounded (recovery-log spec, section 9): a file that is updated in place
 * for ever is recorded anew once its history outweighs it.
 */
import { systemErrorCode, type SyncFileSystem } from '../parts/index.ts'
import { HISTORY_BYTES_MIN, type Recorder } from '../recorder/index.ts'
import type { RecordedFileSystem } from '../recorder/fs/index.ts'

export interface HorizonOptions {
  readonly recorder: Recorder
  readonly files: RecordedFileSystem
  readonly fs: SyncFileSystem
  readonly dir: string
}

/** Rewrites each file whose history outweighs it, one after the other, while writing to it goes on. */
export async function rewriteOutweighed(options: HorizonOptions, signal: AbortSignal): Promise<void> {
  const { recorder, files, fs, dir } = options
  for (const { fnode, links } of [...recorder.fsm.liveNodes()]) {
    if (recorder.historyBytes(fnode) <= HISTORY_BYTES_MIN) continue
    const [path = ''] = links
    const size = sizeOf(fs, dir + path)
    if (size !== undefined && recorder.outweighs(fnode, size)) await files.rewrite(path, { signal })
  }
}

/** undefined for a file that was removed or renamed since it was listed. */
function sizeOf(fs: SyncFileSystem, path: string): number | undefined {
  try {
    return fs.statSync(path).size
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
}
