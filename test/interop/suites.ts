import { suite as registers } from './registers.ts'
import { suite as segments } from './segments.ts'
import type { VectorSuite } from './vector-run.ts'

/** Everything that runs vectors, in the order of test/vectors/README.md. */
export const suites: readonly VectorSuite[] = [segments, registers]

/** Halves of which nothing is built yet. */
export const later = ['archive']
