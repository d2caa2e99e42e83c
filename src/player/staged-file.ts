/** A file without a name yet. It reaches the disk with its first full slot, so that short-lived ones never do. */
export class StagedFile {
  readonly fnode: number
  size = 0
  fd = -1
  isOnDisk = false
  isRemoved = false
  /** The slot that holds `[slotOffset, slotOffset + fill)` of the file, or -1. */
  slot = -1
  slotOffset = 0
  fill = 0
  /** Writes under way, and a span that covers them. */
  inFlight = 0
  inFlightBegin = 0
  inFlightEnd = 0

  constructor(fnode: number) {
    this.fnode = fnode
  }
}
