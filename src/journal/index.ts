export { failedBehind, MAX_APPEND_BYTES } from './append-rules.ts'
export type {
  AppendRequest,
  Commit,
  Durability,
  Fragment,
  Head,
  Journal,
  JournalChunk,
  JournalResolver,
  JournalSupports,
  Label,
  LabelMatch,
  LabelSelector,
  ReadRequest,
} from './journal.ts'
export { MEMORY_FRAGMENT_BYTES, MemoryJournal } from './memory/index.ts'
export type { MemoryContent, MemoryJournalOptions } from './memory/index.ts'
export {
  changeRegisters,
  checkRegisters,
  MATCH_RULES,
  REGISTER_COUNT_MAX,
  REGISTER_NAME_BYTES_MAX,
  REGISTER_VALUE_BYTES_MAX,
  registersMatch,
  validateRegisterRequest,
} from './registers.ts'
export type { RegisterRequest } from './registers.ts'
