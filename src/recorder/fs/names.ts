/**
 * Names with a meaning of their own (durable-directory spec, section 2), and names that no player would make
 * (recovery-log spec, section 9).
 */
import { isLongerThan, PATH_BYTES_MAX, PIECE_BYTES_MAX, WINDOWS_PIECE_RULES } from '../../parts/index.ts'
import type { Platform } from '../../parts/index.ts'
import { RESERVED_FOLDER } from '../recorded-path.ts'

/** An empty file of this name stands for an empty directory: in the log only, never on the disk. */
export const MARKER_NAME = '.emptydir'

/** In which players stage files. */
const STAGING_FOLDER = '/.fnodes'

const HALF_SURROGATE = /\p{Surrogate}/u

/** The marker's path in the directory `dir`. */
export function markerOf(dir: string): string {
  return dir === '/' ? `/${MARKER_NAME}` : `${dir}/${MARKER_NAME}`
}

/** The directory that a path is in. The root is in itself. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

/** Whether the path is hidden by the player, or refused by it: `EPERM` for whoever would make it. */
export function isReservedName(path: string, platform: Platform): boolean {
  return (
    path.endsWith(`/${MARKER_NAME}`) ||
    path.includes(`/${MARKER_NAME}/`) ||
    `${path}/`.startsWith(RESERVED_FOLDER) ||
    `${path}/`.startsWith(`${STAGING_FOLDER}/`) ||
    (platform === 'windows' && path.split('/').some(isRefusedByWindows))
  )
}

/** Whether the path is no text at all: it would name one thing here and another one after a recovery. */
export function isBrokenText(path: string): boolean {
  return HALF_SURROGATE.test(path)
}

/** Whether a piece or the whole is longer than a player takes. */
export function isTooLong(path: string): boolean {
  return (
    isLongerThan(path, PATH_BYTES_MAX) ||
    path.split('/').some((piece) => isLongerThan(piece, PIECE_BYTES_MAX))
  )
}

function isRefusedByWindows(piece: string, index: number): boolean {
  return WINDOWS_PIECE_RULES.some(({ refuses }) => refuses(piece, index))
}
