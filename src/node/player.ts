/** A Player with the system's file system, clock and rules for names filled in. */
import * as nodeFs from 'node:fs'
import { Player as PurePlayer, type PlayerOptions } from '../player/index.ts'
import { systemClock } from '../journal/file/index.ts'

/**
 * As that of the pure library, onto `node:fs` where nothing else is handed in.
 *
 * @example
 * ```ts
 * const player = new Player({ hints, journals, dir: '/var/lib/app/state' })
 * player.finishAtWriteHead()
 * const { fsm } = await player.play()
 * ```
 */
export class Player extends PurePlayer {
  constructor(options: PlayerOptions) {
    const platform = process.platform === 'win32' ? 'windows' : 'posix'
    super({ fs: nodeFs, clock: systemClock, platform, ...options })
  }
}
