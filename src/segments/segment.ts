// The data of a segment is a message, so it is told in wire; what may be done with it is told in this room.
export type { Segment } from '../wire/index.ts'
