/** One entry's data has at most this many bytes; a datagram too (log-archive spec, section 2). */
export const ENTRY_DATA_BYTES_MAX = 10 * 1024 * 1024

/** The content types that LogDog gives streams by default, and the files of its archives. */
export const ContentType = {
  text: 'text/plain; charset=utf-8',
  binary: 'application/octet-stream',
  datagram: 'application/x-logdog-datagram',
  logs: 'application/x-logdog-logs',
  index: 'application/x-logdog-log-index',
} as const
