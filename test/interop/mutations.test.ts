import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { xorshift32 } from '../../bench/workloads.ts'
import { leavesOf, notices, ruleAt, shapeOf } from './mutations.ts'
import type { Place } from './mutations.ts'
import { suites } from './suites.ts'
import type { Rule } from './vector-run.ts'

const root = join(import.meta.dirname, '../vectors')

/** How many values of each shape are changed; `MUTATIONS=30 npx vitest run test/interop/mutations` looks closer. */
const SAMPLES = Number(process.env['MUTATIONS'] ?? 2)
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31) + 1

/** Files with cases that take seconds each, or that are not run yet. */
const PASSED_OVER: readonly string[] = ['archive/archives', 'archive/generated.json', 'archive/bundles.json']

/** A case of any file. */
type Case = Readonly<Record<string, unknown>>

/** For reading, in every file. */
const WORDS = /(^|\.)(about|name|note)$/

/** Rules under which ours is not as Go, so that Go's result is not compared. */
const OURS: readonly Rule[] = ['confinement', 'malformed', 'as the spec says', 'doubtful', 'counted']

/**
 * What a change of need not be noticed, by file: what a case is made from, since it may not matter to what comes out, and
 * what the rules of test/vectors/README.md leave out.
 */
const NOT_COMPARED: Readonly<Record<string, (shape: string, one: Case, place: Place) => boolean>> = {
  'recovery-log/frames.json': (shape) => /\.(streamHex|goBufferBytes|error)$/.test(shape), // rule 8
  'recovery-log/fsm.json': ofStateMachine,
  'recovery-log/fsm-random.json': ofStateMachine,
  'recovery-log/segments.json': (shape, one) =>
    /^cases\.\*\.(steps\.\*\.add|segment|set|log|first|last)\b/.test(shape) ||
    (shape.startsWith('cases.*.result') && one['outcome'] !== 'OK'), // rule 3
  'recovery-log/hints.json': (shape, one) => one['input'] !== 'value' && /\.(json|protoHex)$/.test(shape),
  'recovery-log/registers.json': (shape) =>
    /^cases\.\*\.steps\.\*\.(contentBytes|check|subtract|union)\b/.test(shape),
  'recovery-log/recorder.json': (shape, one, place) =>
    /^cases\.\*\.(dir|author|calls\.\*\.(path|to|dataHex|offset|flags)|final\.lastLog)$/.test(shape) ||
    (place.at(-1) === 'fnode' && (one['calls'] as Case[])[Number(place[3])]?.['call'] === 'write'),
  'recovery-log/handoff.json': (shape) => /\.(logHex|author)$/.test(shape),
  'recovery-log/ghost.json': (shape) => shape.startsWith('cases.*.rightTree'), // for reading
  'recovery-log/logs': (shape, one) =>
    /\.(rightTree|appliedOps|skippedOps|seeks)\b/.test(shape) || // rules 2 and 8
    (one['noGhosts'] !== undefined && !shape.startsWith('cases.*.noGhosts.')),
  'archive/recordio.json': (shape, one) =>
    /\.(data_hex|length|input_hex|max_size|doubtful)$/.test(shape) || typeof one['length'] === 'string',
  'archive/ids.json': (shape, one) =>
    (shape === 'cases.*.output' && one['valid'] === false) ||
    /\.(prefix|input|staging|base|project|stream_name|error)$/.test(shape),
  'archive/names.json': (shape) => /\.(value|value_hex|parts\.\*|fill|key|length|error)$/.test(shape),
  'archive/renderer.json': (shape) => /\.(raw|hex)$/.test(shape),
  'archive/archivist.json': (shape, one) =>
    /\.(given|error|error_transient|blob_operations|storage_\w+_(indices|calls)|client_closed)\b/.test(
      shape,
    ) ||
    (shape === 'cases.*.expected.objects_after' && isArchived(one['given'] as Case)), // its own case does not say
  'archive/coordinator.json': (shape) =>
    /^cases\.\*\.(project|service_expiration_ms|project_expiration_ms)$/.test(shape) ||
    /^cases\.\*\.steps\.\*\.(at_ms|request\b.*|error\.text|response\.tasks\.\*\.realm)$/.test(shape), // rules 8 and 9
  'archive/cache.json': (shape) => /^cases\.\*\.(size|expiration_ms|steps\.\*\.do\b)/.test(shape),
  'archive/logs-api.json': (shape, one, place) =>
    /^query_|^cases\.\*\.(path|names|admin|request|archived|stored_indices|entry_bytes|max_results)\b/.test(
      shape,
    ) ||
    /\.(prefix|streams|index|log_count|byte_count|non_contiguous|code|text)\b/.test(shape) ||
    (one['error'] !== null && /\.(matched|streams_left|prefix_left)\b/.test(shape)) || // rule 3
    (place[2] === 'gets' && Number((one['gets'] as Case[])[Number(place[3])]?.['index']) < 0),
  'archive/messages.json': (shape) => /\.(hex|stream_type)$/.test(shape) || /\.(fields\.|error)/.test(shape),
}

/** Whether the stream was archived before the task came. */
function isArchived(given: Case): boolean {
  return (given['state'] as Case | undefined)?.['archived'] === true
}

/** Rule 2: with `noGhosts` only that is right. */
function ofStateMachine(shape: string, one: Case): boolean {
  if (/^cases\.\*\.(hints\b|steps\.\*\.(messageHex|firstOffset|lastOffset|log)$)/.test(shape)) return true
  return one['noGhosts'] !== undefined && !shape.startsWith('cases.*.noGhosts.')
}

interface Leaf {
  readonly file: string
  readonly place: Place
}

/** What is compared in the files of a suite, by shape. */
function leavesByShape(suiteFile: string): Map<string, Leaf[]> {
  const shapes = new Map<string, Leaf[]>()
  for (const file of filesOf(suiteFile)) {
    const content = JSON.parse(readFileSync(join(root, file), 'utf8')) as Readonly<Record<string, Case[]>>
    for (const place of leavesOf(content)) {
      const shape = shapeOf(place)
      const one = content[String(place[0])]?.[Number(place[1])] ?? {}
      if (WORDS.test(shape) || NOT_COMPARED[suiteFile]?.(shape, one, place) === true) continue
      shapes.set(shape, [...(shapes.get(shape) ?? []), { file, place }])
    }
  }
  return shapes
}

function filesOf(file: string): string[] {
  if (file.endsWith('.json')) return [file]
  return readdirSync(join(root, file), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${file}/${name}`)
    .map(
      (folder) =>
        [`${folder}/expected.json`, `${folder}/case.json`].find((path) => existsSync(join(root, path))) ?? '',
    )
}

describe(`mutations: a changed value of a vector fails (SEED=${SEED - 1})`, () => {
  it.each(suites.filter(({ file }) => !PASSED_OVER.includes(file)))('$file', async (suite) => {
    const next = xorshift32(SEED)
    const unnoticed: string[] = []
    for (const leaves of leavesByShape(suite.file).values()) {
      for (let i = 0; i < Math.min(SAMPLES, leaves.length); i++) {
        const { file, place } = leaves[next() % leaves.length] as Leaf
        if (OURS.includes(await ruleAt(root, suite, file, place))) continue
        if (!(await notices(root, suite, file, place))) unnoticed.push(`${file}: ${place.join('.')}`)
      }
    }
    expect(unnoticed).toEqual([])
  })
})
