export { joinGsPath, splitGsPath } from './gs-path.ts'
export type { GsPath } from './gs-path.ts'
export { normalizeStreamId, prefixId, sha256OfText, streamId, toBase64Url, toHex } from './ids.ts'
export type { NameFault, NameRule } from './name-fault.ts'
export {
  asNamespace,
  assertProject,
  assertStreamName,
  constructName,
  makeStreamName,
  nameSegments,
  namespacesOf,
  PREFIX_SECRET_BYTES,
  projectFault,
  RETRY_NONCE_BYTES,
  secretFault,
  splitName,
  STREAM_NAME_BYTES_MAX,
  streamNameFault,
  TAG_KEY_BYTES_MAX,
  TAG_VALUE_BYTES_MAX,
  tagFault,
  trimSeparators,
  utf8Bytes,
} from './stream-name.ts'
export {
  assertStreamPath,
  formatStreamAddress,
  joinStreamPath,
  parseStreamAddress,
  partialPathFault,
  pathPrefix,
  splitLast,
  splitStreamPath,
  streamPathFault,
} from './stream-path.ts'
export type { SplitPath, StreamAddress } from './stream-path.ts'
export { assertDescriptor, assertEntry, descriptorFault, entryFault } from './validate.ts'
export type { MessageFault } from './validate.ts'
