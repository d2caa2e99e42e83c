import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodeOperation,
  hintsOfAnyShape,
  oddHintsProtos,
  oddHintsTexts,
  oddMessages,
  operations,
} from '../../src/arbitraries/index.ts'
import type { Operation } from '../../src/arbitraries/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import {
  decodeHints,
  decodeRecordedOp,
  FRAME_HEADER_BYTES,
  hintsFromJson,
  hintsFromProto,
  hintsToJson,
  hintsToProto,
  OpKind,
  readFrameHeader,
  RecordedOp,
} from '../../src/wire/index.ts'
import type { ErrorCode } from '../../src/errors/index.ts'
import type { FSMHints } from '../../src/wire/index.ts'
import { protobufjsDecode, protobufjsEncode } from '../support/recovery-log-proto.ts'
import type { MessageName } from '../support/recovery-log-proto.ts'

const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)

const utf8 = new TextEncoder()

/** One object for all, as a reader has: what is left of the operation before must not show. */
const reused = new RecordedOp()

function decode(message: Uint8Array): Operation {
  decodeRecordedOp(message, 0, message.length, reused)
  return operationOf(reused)
}

function operationOf(op: RecordedOp): Operation {
  const { fnode, offset, length, path, content } = op
  const changes = {
    [OpKind.none]: { kind: 'noop' },
    [OpKind.create]: { kind: 'create', path },
    [OpKind.link]: { kind: 'link', fnode, path },
    [OpKind.unlink]: { kind: 'unlink', fnode, path },
    [OpKind.write]: { kind: 'write', fnode, offset, length },
    [OpKind.property]: { kind: 'property', path, content },
  } as const
  return {
    seqNo: op.seqNo,
    checksum: op.checksum >>> 0,
    author: op.author >>> 0,
    change: changes[op.kind],
    ...(op.hasContentChecksum && { contentChecksum: op.contentChecksum >>> 0 }),
  }
}

/** The operation in the words of protobufjs. */
function fieldsOf({ seqNo, change, ...rest }: Operation): object {
  const { kind, ...values } = change
  const body = Object.entries(values).map(([key, value]: [string, string | number]) => {
    return [key, typeof value === 'string' ? utf8.encode(value) : BigInt(value)]
  })
  return {
    seqNo: BigInt(seqNo),
    ...rest,
    ...(kind !== 'noop' && { [kind]: Object.fromEntries(body) as object }),
  }
}

/** What protobufjs reads, as it would write it; without where it was read, which no log has. */
function canonical(message: Uint8Array): Uint8Array {
  const fields = protobufjsDecode('RecordedOp', message)
  return protobufjsEncode('RecordedOp', { ...fields, firstOffset: 0, lastOffset: 0, log: new Uint8Array() })
}

function hintsFieldsOf({ log, liveNodes, properties }: FSMHints): object {
  return {
    log: utf8.encode(log),
    liveNodes: liveNodes.map(({ fnode, segments }) => ({
      fnode: BigInt(fnode),
      segments: segments.map((segment) => ({
        ...segment,
        firstSeqNo: BigInt(segment.firstSeqNo),
        firstOffset: BigInt(segment.firstOffset),
        lastSeqNo: BigInt(segment.lastSeqNo),
        lastOffset: BigInt(segment.lastOffset),
        log: utf8.encode(segment.log),
      })),
    })),
    properties: properties.map(({ path, content }) => ({
      path: utf8.encode(path),
      content: utf8.encode(content),
    })),
  }
}

/** Go's JSON by way of `JSON.stringify`, whose order of keys is that of the object. */
function plainJson({ log, liveNodes, properties }: FSMHints): string {
  const withoutDefaults = (members: object): object =>
    Object.fromEntries(Object.entries(members).filter(([, value]) => value !== 0 && value !== ''))
  const orNull = <T>(list: readonly T[]): readonly T[] | null => (list.length === 0 ? null : list)
  const document = {
    ...withoutDefaults({ log }),
    live_nodes: orNull(
      liveNodes.map(({ fnode, segments }) => ({
        ...withoutDefaults({ fnode }),
        segments: orNull(
          segments.map((segment) =>
            withoutDefaults({
              author: segment.author,
              first_seq_no: segment.firstSeqNo,
              first_offset: segment.firstOffset,
              first_checksum: segment.firstChecksum,
              last_seq_no: segment.lastSeqNo,
              last_offset: segment.lastOffset,
              log: segment.log,
            }),
          ),
        ),
      })),
    ),
    properties: orNull(properties.map(({ path, content }) => withoutDefaults({ path, content }))),
  }
  return JSON.stringify(document).replace(
    /[<>&\u2028\u2029]/g,
    (text) => `\\u${text.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** What `body` answers, or nothing when it throws an error with `code`: any other is a failure. */
function answerOr<T>(code: ErrorCode, body: () => T): T | undefined {
  try {
    return body()
  } catch (error) {
    if (!RecoveryLogError.is(error, code)) throw error
    expect(error.data).toHaveProperty('at')
    expect(error.data).toHaveProperty('value')
    return undefined
  }
}

/** Go, and so we, read more than protobufjs: tags and lengths of ten bytes, groups that end with another number. */
function isTakenByProtobufjs(name: MessageName, bytes: Uint8Array): boolean {
  try {
    protobufjsDecode(name, bytes)
    return true
  } catch {
    return false
  }
}

/** Bytes that are nearly what they should be: some changed, some cut off, some put in. */
function damaged(whole: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 2 }), fc.uint8Array({ maxLength: 3 })), {
    maxLength: 3,
  })
  return fc.tuple(whole, damage).map(([bytes, damages]) => {
    const broken = [...bytes]
    for (const [at, removed, added] of damages) broken.splice(at % (broken.length + 1), removed, ...added)
    return Uint8Array.from(broken)
  })
}

describe(`codecs: operations (SEED=${SEED})`, () => {
  it('are read as they were written, and written as protobufjs writes them', () => {
    fc.assert(
      fc.property(operations(), (operation) => {
        const frame = encodeOperation(operation)
        const message = frame.subarray(FRAME_HEADER_BYTES)
        expect(readFrameHeader(frame, 0)).toBe(message.length)
        expect(message).toEqual(new Uint8Array(protobufjsEncode('RecordedOp', fieldsOf(operation))))
        expect(decode(message)).toEqual(operation)
      }),
      { seed: SEED, numRuns: 800 },
    )
  })

  it('are read in every encoding that protobuf allows, as protobufjs reads them', () => {
    fc.assert(
      fc.property(oddMessages(), ({ bytes, operation }) => {
        expect(decode(bytes)).toEqual(operation)
        expect(canonical(bytes)).toEqual(protobufjsEncode('RecordedOp', fieldsOf(operation)))
      }),
      { seed: SEED, numRuns: 800 },
    )
  })

  it('are CORRUPT, with place and value, when they are not what protobufjs reads (damaged messages)', () => {
    fc.assert(
      fc.property(damaged(oddMessages().map(({ bytes }) => bytes)), (bytes) => {
        const operation = answerOr('CORRUPT', () => decode(bytes))
        if (operation === undefined || !isTakenByProtobufjs('RecordedOp', bytes)) return
        expect(canonical(bytes)).toEqual(protobufjsEncode('RecordedOp', fieldsOf(operation)))
      }),
      { seed: SEED, numRuns: 500 },
    )
  })
})

describe(`codecs: hints (SEED=${SEED})`, () => {
  it('come back from protobuf, which is what protobufjs writes', () => {
    fc.assert(
      fc.property(hintsOfAnyShape(), (hints) => {
        const bytes = hintsToProto(hints)
        expect(bytes).toEqual(new Uint8Array(protobufjsEncode('FSMHints', hintsFieldsOf(hints))))
        expect(hintsFromProto(bytes)).toEqual(hints)
      }),
      { seed: SEED, numRuns: 500 },
    )
  })

  it('come back from JSON, which is what Go writes', () => {
    fc.assert(
      fc.property(hintsOfAnyShape(), (hints) => {
        const bytes = hintsToJson(hints)
        expect(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)).toBe(plainJson(hints))
        expect(hintsFromJson(bytes)).toEqual(hints)
        expect(decodeHints(bytes)).toEqual(hints)
      }),
      { seed: SEED, numRuns: 500 },
    )
  })

  it('are read in every spelling of either kind', () => {
    const odd = fc.oneof(
      oddHintsProtos().map((one) => ({ ...one, read: hintsFromProto })),
      oddHintsTexts().map((one) => ({ ...one, read: hintsFromJson })),
    )
    const law = fc.property(odd, ({ bytes, hints, read }) => {
      expect(read(bytes)).toEqual(hints)
    })
    fc.assert(law, { seed: SEED, numRuns: 800 })
  })

  it('are HINTS_INVALID, with place and value, when they cannot be read (damaged protobuf)', () => {
    fc.assert(
      fc.property(damaged(oddHintsProtos().map(({ bytes }) => bytes)), (bytes) => {
        const hints = answerOr('HINTS_INVALID', () => hintsFromProto(bytes))
        if (hints === undefined || !isTakenByProtobufjs('FSMHints', bytes)) return
        const read = protobufjsEncode('FSMHints', protobufjsDecode('FSMHints', bytes))
        expect(hintsToProto(hints)).toEqual(new Uint8Array(read))
      }),
      { seed: SEED, numRuns: 800 },
    )
  })

  it('are HINTS_INVALID, with place and value, when they cannot be read (damaged JSON)', () => {
    fc.assert(
      fc.property(damaged(oddHintsTexts().map(({ bytes }) => bytes)), (bytes) => {
        const hints = answerOr('HINTS_INVALID', () => hintsFromJson(bytes))
        if (hints === undefined) return
        const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
        expect(() => JSON.parse(text) as unknown).not.toThrow()
      }),
      { seed: SEED, numRuns: 800 },
    )
  })
})
