/** How fast do hints of 200,000 live files become bytes, and bytes hints? */
import protobuf from 'protobufjs'
import { FSM } from '../src/fsm/index.ts'
import { hintsFromJson, hintsFromProto, hintsToJson, hintsToProto } from '../src/wire/index.ts'
import type { FSMHints } from '../src/wire/index.ts'
import { question, WARM_ROUNDS } from './harness.ts'
import type { Row } from './harness.ts'
import { applyLog } from './support/apply-log.ts'
import { churn } from './workloads.ts'

const FILES = 200_000

const plainHints = protobuf
  .parse(
    `syntax = "proto3";
    message Property { string path = 1; string content = 2; }
    message Segment {
      fixed32 author = 1; int64 first_seq_no = 2; int64 first_offset = 3; fixed32 first_checksum = 4;
      int64 last_seq_no = 5; int64 last_offset = 6; string log = 7;
    }
    message FnodeSegments { int64 fnode = 1; repeated Segment segments = 2; }
    message FSMHints { string log = 1; repeated FnodeSegments live_nodes = 2; repeated Property properties = 3; }`,
  )
  .root.lookupType('FSMHints')

/** The hints at the end of churn-200k, in all their shapes. */
interface Input {
  readonly hints: FSMHints
  readonly json: Uint8Array
  readonly proto: Uint8Array
  /** The same as plain objects: with Go's keys for JSON, and with ours for protobufjs. */
  readonly document: object
  readonly text: string
  readonly message: protobuf.Message
}

let made: Input | undefined

function input(): Input {
  if (made !== undefined) return made
  const hints = applyLog(churn(FILES).bytes).buildHints()
  const json = hintsToJson(hints)
  const proto = hintsToProto(hints)
  const text = new TextDecoder().decode(json)
  const document = JSON.parse(text) as object
  made = { hints, json, proto, document, text, message: plainHints.decode(proto) }
  return made
}

/** Out or in, against the bare thing for the same hints. */
function row(
  name: string,
  goal: number,
  go: string,
  run: (input: Input) => unknown,
  floor: (input: Input) => unknown,
): Row {
  return {
    name: `fsm/hints-200k/${name}`,
    goals: [{ of: 'ratio', atLeast: goal }],
    prepare() {
      const given = input()
      return {
        unit: 'k/s', // files in a second
        rounds: WARM_ROUNDS,
        subject: { operations: FILES, run: () => run(given) },
        floor: { operations: FILES, run: () => floor(given) },
        note: go,
      }
    },
  }
}

/** Building hints, or a machine from them, in the milliseconds that Go's figures are in. */
function stateRow(name: string, go: string, take: () => () => unknown): Row {
  return {
    name: `fsm/hints-200k/${name}`,
    goals: [],
    prepare: () => ({ unit: 'ms', subject: { operations: 1, run: take() }, note: go }),
  }
}

await question('How fast do hints of 200,000 live files become bytes, and bytes hints?', [
  stateRow('build', 'Go 129 ms', () => {
    const fsm = applyLog(churn(FILES).bytes)
    return () => fsm.buildHints()
  }),
  stateRow('start', 'Go 36 ms', () => {
    const { hints } = input()
    return () => new FSM(hints)
  }),
  row(
    'json-out',
    0.5,
    'Go 847 k/s, 236 ms',
    ({ hints }) => hintsToJson(hints),
    ({ document }) => JSON.stringify(document),
  ),
  row(
    'json-in',
    0.5,
    'Go 376 k/s, 532 ms',
    ({ json }) => hintsFromJson(json),
    ({ text }) => JSON.parse(text) as unknown,
  ),
  row(
    'protobuf-out',
    2,
    '',
    ({ hints }) => hintsToProto(hints),
    ({ message }) => plainHints.encode(message).finish(),
  ),
  row(
    'protobuf-in',
    2,
    '',
    ({ proto }) => hintsFromProto(proto),
    ({ proto }) => plainHints.decode(proto),
  ),
])
