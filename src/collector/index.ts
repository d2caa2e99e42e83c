export { Collector } from './collector.ts'
export type { CollectorOptions, CollectorRegistrar, CollectReport } from './collector.ts'
