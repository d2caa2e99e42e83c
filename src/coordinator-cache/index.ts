export { CACHE_EXPIRATION_MS_DEFAULT, CACHE_SIZE_DEFAULT, CoordinatorCache } from './coordinator-cache.ts'
export type {
  CachedRegisterRequest,
  CachedTerminateRequest,
  CoordinatorCacheOptions,
} from './coordinator-cache.ts'
export { GRPC_CODES } from './grpc-error.ts'
export { RemoteCoordinator } from './remote-coordinator.ts'
export type { RegisterStreamMessage, ServicesClient, TerminateStreamMessage } from './services-client.ts'
