/** The types of what is called in the generated static.js. Absent fields are those of the prototype: their zero. */

import type { Reader } from 'protobufjs/minimal.js'

interface Encoder {
  finish(): Uint8Array
}

interface Message<Fields> {
  encode(message: Partial<Fields>): Encoder
  decode(reader: Reader): Fields
}

export interface Unknowns {
  readonly $unknowns?: readonly Uint8Array[]
}

export interface StaticTime extends Unknowns {
  readonly seconds: number | { toNumber(): number }
  readonly nanos: number
}

export interface StaticDescriptor extends Unknowns {
  readonly prefix: string
  readonly name: string
  readonly streamType: number
  readonly contentType: string
  readonly timestamp: StaticTime | null
  readonly tags: Readonly<Record<string, string>>
  readonly binaryFileExt: string
}

export interface StaticMetadata extends Unknowns {
  readonly type: number
  readonly compression: number
  readonly protoVersion: string
}

export interface StaticBundleEntry extends Unknowns {
  readonly desc: StaticDescriptor | null
  readonly deprecatedEntrySecret: Uint8Array
  readonly terminal: boolean
  readonly terminalIndex: number | { toNumber(): number }
  readonly logs: readonly Uint8Array[]
}

export interface StaticBundle extends Unknowns {
  readonly deprecatedSource: string
  readonly timestamp: StaticTime | null
  readonly entries: readonly StaticBundleEntry[]
  readonly project: string
  readonly prefix: string
  readonly secret: Uint8Array
}

export declare const logdog: {
  readonly LogStreamDescriptor: Message<StaticDescriptor>
  readonly ButlerMetadata: Message<StaticMetadata>
  readonly ButlerLogBundle: Message<StaticBundle>
}
