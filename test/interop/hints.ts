import assert from 'node:assert/strict'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { FSM, hintedState, validateHints } from '../../src/fsm/index.ts'
import { hintsFromJson, hintsFromProto, hintsToJson, hintsToProto } from '../../src/wire/index.ts'
import type { FSMHints } from '../../src/wire/index.ts'
import { protobufjsDecode, protobufjsEncode } from '../support/recovery-log-proto.ts'
import { knownKeys } from './known-keys.ts'
import { fromHex, hexOf } from './operations.ts'
import type { Rule, VectorSuite } from './vector-run.ts'

const FILE = 'recovery-log/hints.json'

interface Case {
  readonly name: string
  /** What the case starts from: a value, written both ways, or a text of one of the two. */
  readonly input: 'value' | 'json' | 'proto'
  readonly json: string
  readonly protoHex: string
  readonly outcome: string
  /** What Go writes after reading the input. */
  readonly canonicalJson?: string
  readonly canonicalProtoHex: string
  readonly validate?: string
  readonly newFsm?: string
  readonly live?: {
    readonly fnodes: readonly unknown[]
    readonly segments: readonly Readonly<Record<string, unknown>>[]
  }
  readonly liveError?: string
  readonly note?: string
}

/** Hints out and in, both ways; and whether Go's validation, state machine and segments are ours. */
export const suite: VectorSuite = {
  file: FILE,
  async run(run) {
    const { cases, ...head } = run.json<{ cases: readonly Case[] }>(FILE)
    knownKeys(head, ['about'])
    for (const one of cases) {
      const rule = ruleOf(one)
      await run.check(FILE, one.name, rule, () => checkCase(one, rule))
    }
  },
}

function ruleOf(one: Case): Rule {
  if (one.outcome !== 'OK') return 'typed error'
  if (isRefused(one)) return 'malformed'
  return listsTwice(one) ? 'as the spec says' : 'equal to Go'
}

function checkCase(one: Case, rule: Rule): void {
  knownKeys(one, ['name', 'input', 'json', 'protoHex', 'outcome', 'note', ...CANONICAL_KEYS, ...STATE_KEYS])
  assert.match(one.input, /^(value|json|proto)$/)
  switch (rule) {
    case 'typed error':
      for (const read of readersOf(one)) assert.throws(read, isHintsInvalid)
      assert.match(one.outcome, / /, 'Go tells an error in words')
      // Where Go fails it has nothing to write.
      knownKeys(one, ['name', 'input', 'json', 'protoHex', 'outcome', 'note', 'canonicalProtoHex'])
      assert.equal(one.canonicalProtoHex, '')
      break
    case 'malformed':
      checkRefused(one)
      break
    case 'as the spec says':
      checkListsTwice(one)
      break
    default:
      for (const read of readersOf(one)) checkHints(one, read())
  }
}

const CANONICAL_KEYS = ['canonicalJson', 'canonicalProtoHex']
const STATE_KEYS = ['validate', 'newFsm', 'live', 'liveError']

function isHintsInvalid(error: unknown): boolean {
  return RecoveryLogError.is(error, 'HINTS_INVALID')
}

/** A value is read in both forms; a text in its own, where the other one must be empty. */
function readersOf({ input, json, protoHex }: Case): (() => FSMHints)[] {
  if (input === 'json') assert.equal(protoHex, '')
  if (input === 'proto') assert.equal(json, '')
  return [
    ...(input === 'proto' ? [] : [() => hintsFromJson(Buffer.from(json))]),
    ...(input === 'json' ? [] : [() => hintsFromProto(fromHex(protoHex))]),
  ]
}

function checkHints(one: Case, hints: FSMHints): void {
  assert.equal(Buffer.from(hintsToJson(hints)).toString(), ourJson(one.canonicalJson))
  assert.equal(hexOf(hintsToProto(hints)), one.canonicalProtoHex)
  expectOutcome(one.validate, () => {
    validateHints(hints)
  })
  expectOutcome(one.newFsm, () => new FSM(hints))
  if (one.live === undefined) {
    expectOutcome(one.liveError, () => hintedState(hints))
  } else {
    assert.equal(one.liveError, undefined)
    const { fnodes, segments } = hintedState(hints)
    assert.deepEqual({ fnodes, segments: [...segments] }, one.live)
  }
}

/** With us an empty list is null (spec, section 2). In a string the quotes would have backslashes before them. */
function ourJson(json = ''): string {
  return json.replace(/"(live_nodes|segments|properties)":\[\]/g, '"$1":null')
}

/** Where Go fails, ours does so with a code of its own (rule 3). */
function expectOutcome(outcome: string | undefined, body: () => unknown): void {
  if (outcome === 'OK') body()
  else {
    assert.match(String(outcome), / /, 'Go tells an error in words')
    assert.throws(body, isHintsInvalid)
  }
}

/** Numbers that we do not take, and text that Go shows to be no UTF-8 by escaping what it puts in its place. */
function isRefused({ canonicalJson = '' }: Case): boolean {
  const withoutText = canonicalJson.replace(/"(\\.|[^"\\])*"/g, '')
  const numbers = (withoutText.match(/-?\d+/g) ?? []).map(BigInt)
  const isBeyond = numbers.some((number) => number < 0n || number > BigInt(Number.MAX_SAFE_INTEGER))
  return isBeyond || canonicalJson.includes('\\ufffd')
}

/**
 * Ours refuses to read it, but for JSON that has lost bytes, which are lost then. What Go has made of it is held against
 * protobufjs and against itself.
 */
function checkRefused(one: Case): void {
  for (const read of readersOf(one)) {
    if (one.input === 'value' && one.json.includes('\\ufffd')) continue
    assert.throws(read, isHintsInvalid)
  }
  const canonical = fromHex(one.canonicalProtoHex)
  if (one.input === 'value') assert.deepEqual([one.json, one.protoHex], [one.canonicalJson, hexOf(canonical)])
  if (one.input === 'proto') assert.equal(one.protoHex, one.canonicalProtoHex)
  const fields = protobufjsDecode('FSMHints', canonical)
  assert.equal(hexOf(protobufjsEncode('FSMHints', fields)), one.canonicalProtoHex)
  const { canonicalJson = '' } = one
  const withTextForNumbers = canonicalJson.replace(
    /("(?:\\.|[^"\\])*")|-?\d+/g,
    (token, text: string | undefined) => text ?? `"${token}"`,
  )
  assert.deepEqual(JSON.parse(ourJson(withTextForNumbers)), jsonValue(fields))
  assert.match(`${one.validate}, ${one.newFsm}`, /^(OK|.* .*), (OK|.* .*)$/)
  assert.equal(one.newFsm, one.liveError ?? 'OK')
  const known = new Set(['0', ...(canonicalJson.match(/-?\d+|"(\\.|[^"\\])*"/g) ?? [])])
  const { fnodes = [], segments = [] } = one.live ?? {}
  for (const leaf of [...fnodes, ...segments.flatMap((segment) => Object.values(segment))]) {
    assert.ok(
      [String(leaf), JSON.stringify(leaf)].some((text) => known.has(text)),
      'comes from nowhere',
    )
  }
}

/** What protobufjs has read as Go shows it in JSON, but with text for numbers. */
function jsonValue(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  if (Array.isArray(value)) return value.length === 0 ? null : value.map(jsonValue)
  if (typeof value !== 'object' || value === null) return String(value)
  const members = Object.entries(value).map(([key, inner]: [string, unknown]) => {
    return [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), jsonValue(inner)]
  })
  return Object.fromEntries(members) as unknown
}

function listsTwice({ input, json }: Case): boolean {
  return input === 'json' && ['live_nodes', 'properties'].some((name) => json.split(`"${name}"`).length > 2)
}

/** With us the later list counts as a whole. In Go its members keep what those of the earlier list had before. */
function checkListsTwice(one: Case): void {
  const hints = hintsFromJson(Buffer.from(one.json))
  const later = JSON.parse(one.json) as object // takes what comes last, as we do
  assert.deepEqual(hints, hintsFromJson(Buffer.from(JSON.stringify(later))))
  const earlier = JSON.parse(`${one.json.slice(0, one.json.lastIndexOf(',"live_nodes"'))}}`) as object
  const goHints = hintsFromJson(Buffer.from(JSON.stringify(laidOver(earlier, later))))
  checkHints({ ...one, live: one.live as NonNullable<Case['live']> }, goHints)
}

function laidOver(earlier: unknown, later: unknown): unknown {
  if (Array.isArray(later)) return later.map((member, i) => laidOver((earlier as unknown[])[i], member))
  if (typeof later !== 'object' || typeof earlier !== 'object') return later
  const members = Object.entries(later as object).map(([key, value]) => [
    key,
    laidOver((earlier as Record<string, unknown>)[key], value),
  ])
  return { ...earlier, ...(Object.fromEntries(members) as object) }
}
