/**
 * What came of applying an operation (recovery-log spec, section 3). `OK` and `FNODE_NOT_TRACKED` advance the sequence:
 * the second says that the operation was consistent, but that its file is gone by the time the hints were made, so the
 * caller skips it on disk. Every other outcome leaves all state untouched.
 */
export type Outcome =
  | 'OK'
  | 'NOT_HINTED_AUTHOR'
  | 'WRONG_SEQ_NO'
  | 'CHECKSUM_MISMATCH'
  | 'LINK_EXISTS'
  | 'PROPERTY_EXISTS'
  | 'FNODE_NOT_TRACKED'
  | 'EXPECTED_HINTED_FNODE'
  | 'NO_SUCH_LINK'
