import { randomBytes } from 'node:crypto'
import type { Random } from '../parts/index.ts'

/** The system's randomness. */
export const systemRandom: Random = (count) => new Uint8Array(randomBytes(count))
