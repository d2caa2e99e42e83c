export { MemoryStreamStore } from './memory-stream-store.ts'
export { MemoryTaskQueue } from './memory-task-queue.ts'
export type { MemoryTaskQueueOptions } from './memory-task-queue.ts'
