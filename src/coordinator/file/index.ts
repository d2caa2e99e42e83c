export { FileStreamStore } from './file-stream-store.ts'
export type { FileStreamStoreOptions } from './file-stream-store.ts'
export { FileTaskQueue } from './file-task-queue.ts'
export type { FileTaskQueueOptions } from './file-task-queue.ts'
