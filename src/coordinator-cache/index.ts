export { CACHE_EXPIRATION_MS_DEFAULT, CACHE_SIZE_DEFAULT, CoordinatorCache } from './coordinator-cache.ts'
export type {
  CachedRegisterRequest,
  CachedTerminateRequest,
  CoordinatorCacheOptions,
} from './coordinator-cache.ts'
