export { abortedError, raceAbort, throwIfAborted } from './abort.ts'
export { Deferred } from './deferred.ts'
