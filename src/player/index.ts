export { nullTarget } from './null-target.ts'
export { plannedRanges, planPlayback } from './plan.ts'
export { Player } from './player.ts'
export type {
  AtHead,
  Journals,
  LogEnd,
  LogPosition,
  Played,
  PlayerFileSystem,
  PlayerOptions,
  PlayProgress,
  PlaySource,
} from './play-options.ts'
export type { PlayEvent } from './play-event.ts'
export type { LeftOver, LogRange, Missed } from './skipped.ts'
export type { Target } from './target.ts'
