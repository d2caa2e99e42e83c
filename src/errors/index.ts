export { ERROR_KINDS, RecoveryLogError } from './recovery-log-error.ts'
export type { ErrorCode, ErrorData, ErrorKind } from './recovery-log-error.ts'
