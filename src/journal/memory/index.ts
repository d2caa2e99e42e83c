export { MEMORY_FRAGMENT_BYTES, MemoryJournal } from './memory-journal.ts'
export type { MemoryJournalOptions } from './memory-journal.ts'
export type { MemoryContent } from './memory-store.ts'
