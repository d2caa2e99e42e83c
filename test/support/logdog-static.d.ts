/** The types of the generated logdog-static.js, as tests and benches use it. */

import type { Reader, Writer } from 'protobufjs/minimal.js'

interface StaticMessage {
  encode(message: object, writer?: Writer): Writer
  decode(bytes: Uint8Array | Reader, length?: number): object
}

export declare const logdog: {
  readonly LogEntry: StaticMessage
  readonly LogIndex: StaticMessage
  readonly LogStreamDescriptor: StaticMessage
  readonly ButlerMetadata: StaticMessage
  readonly ButlerLogBundle: StaticMessage
}
