/** Where the segments of a file are cut, beyond where they are in Go (section 9). */
export interface FSMOptions {
  /**
   * How many bytes of the log between two operations of one file are worth a cut. Default 64 MiB: about what a journal
   * stores, and prunes, in one piece.
   */
  readonly segmentGapBytesMin?: number | undefined
  /**
   * How many segments one file may have, from 1. Past it, the cheapest of the gaps that are still sure to be there is
   * closed. Default 1: nothing is cut, as in Go, but what was cut in the hints.
   */
  readonly segmentsPerFnodeMax?: number | undefined
  /**
   * Nothing is pruned inside gaps (durable-directory spec, section 4), so that hints may close again any gap where Go's
   * player would find a ghost. Default false: gaps between known ends stay gaps once hints have been built.
   */
  readonly goReadable?: boolean | undefined
}

/** The default of `FSMOptions.segmentGapBytesMin`. */
export const SEGMENT_GAP_BYTES_MIN = 64 * 1024 * 1024
