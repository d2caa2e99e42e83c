import type { VectorSuite } from './vector-run.ts'

/** Everything that runs vectors, in the order of test/vectors/README.md. */
export const suites: readonly VectorSuite[] = []

/** Halves of which nothing is built yet. */
export const later = ['archive']
