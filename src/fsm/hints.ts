// The data of hints is a message, so it is told in wire; what makes hints valid is told in this room.
export type { FnodeSegments, FSMHints, Property } from '../wire/index.ts'
