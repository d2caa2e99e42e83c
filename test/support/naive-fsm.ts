import type { FSMHints, Outcome } from '../../src/fsm/index.ts'
import { SegmentSet } from '../../src/segments/index.ts'
import type { Segment } from '../../src/segments/index.ts'
import { crc32c } from '../../src/wire/index.ts'
import type { LoggedOp } from './op-log.ts'

interface Node {
  readonly links: Set<string>
  readonly segments: Segment[]
  /** No operation may extend the last segment. */
  closed: boolean
}

/**
 * The state machine of the recovery-log spec, section 3, as one writes it first: Maps, Sets and objects, rule for rule.
 * With `goLike` it is Go's: a create that no hint speaks of is tracked, properties of the log are set while hinted
 * segments are left, and cuts of the hints are not kept.
 */
export class NaiveFsm {
  nextSeqNo = 1
  nextChecksum = 0
  lastLog: string
  readonly properties = new Map<string, string>()
  readonly liveNodes = new Map<number, Node>()
  readonly links = new Map<string, number>()
  hintedSegments: Segment[]
  hintedFnodes: number[]
  readonly #goLike: boolean
  /** Fnodes whose segments are cut behind an operation. */
  readonly #cuts = new Map<number, number[]>()

  constructor(hints: FSMHints, options: { readonly goLike?: boolean } = {}) {
    this.#goLike = options.goLike ?? false
    this.lastLog = hints.log
    for (const { path, content } of hints.properties) this.properties.set(path, content)
    const set = new SegmentSet()
    for (const { fnode, segments } of hints.liveNodes) {
      const full = segments.map((s) => (s.log === '' ? { ...s, log: hints.log } : s))
      for (const segment of full) set.add(segment)
      full.forEach((segment, index) => {
        const next = full[index + 1]
        if (next?.author !== segment.author || next.log !== segment.log || this.#goLike) return
        this.#cuts.set(segment.lastSeqNo, [...(this.#cuts.get(segment.lastSeqNo) ?? []), fnode])
      })
    }
    this.hintedSegments = [...set]
    this.hintedFnodes = hints.liveNodes.map(({ fnode }) => fnode)
    this.#jump()
  }

  #jump(): void {
    const first = this.hintedSegments[0]
    if (first === undefined) return
    this.nextSeqNo = first.firstSeqNo
    this.nextChecksum = first.firstChecksum
  }

  apply(op: LoggedOp): Outcome {
    const hinted = this.hintedSegments[0]
    if (hinted !== undefined && hinted.author !== op.author) return 'NOT_HINTED_AUTHOR'
    if (op.seqNo !== this.nextSeqNo) return 'WRONG_SEQ_NO'
    if (op.checksum !== this.nextChecksum) return 'CHECKSUM_MISMATCH'
    const outcome = this.#change(op)
    if (outcome !== 'OK' && outcome !== 'FNODE_NOT_TRACKED') return outcome
    this.nextSeqNo++
    this.nextChecksum = crc32c(this.nextChecksum, op.message) >>> 0
    this.lastLog = op.log
    for (const fnode of this.#cuts.get(op.seqNo) ?? []) this.#close(fnode, op)
    if (hinted !== undefined && hinted.lastSeqNo < this.nextSeqNo) {
      this.hintedSegments.shift()
      this.#jump()
    }
    return outcome
  }

  #change(op: LoggedOp): Outcome {
    if (op.kind === 'create') {
      if (this.links.has(op.path)) return 'LINK_EXISTS'
      if (this.properties.has(op.path)) return 'PROPERTY_EXISTS'
      if (this.hintedFnodes.length > 0) {
        if (this.hintedFnodes[0] !== op.seqNo) return 'FNODE_NOT_TRACKED'
        this.hintedFnodes.shift()
      } else if (this.hintedSegments.length > 0 && !this.#goLike) {
        return 'FNODE_NOT_TRACKED'
      }
      this.links.set(op.path, op.seqNo)
      this.liveNodes.set(op.seqNo, { links: new Set([op.path]), segments: [], closed: false })
      this.#extend(op.seqNo, op)
      return 'OK'
    }
    if (this.hintedFnodes[0] === op.seqNo) return 'EXPECTED_HINTED_FNODE'
    if (op.kind === 'none') return 'OK'
    if (op.kind === 'property') {
      if (this.links.has(op.path)) return 'LINK_EXISTS'
      if (this.hintedSegments.length === 0 || this.#goLike) this.properties.set(op.path, op.content)
      return 'OK'
    }
    if (op.kind === 'link') {
      if (this.links.has(op.path)) return 'LINK_EXISTS'
      if (this.properties.has(op.path)) return 'PROPERTY_EXISTS'
    }
    const node = this.liveNodes.get(op.fnode)
    if (node === undefined) return 'FNODE_NOT_TRACKED'
    if (op.kind === 'link') {
      node.links.add(op.path)
      this.links.set(op.path, op.fnode)
    } else if (op.kind === 'unlink') {
      if (!node.links.delete(op.path)) return 'NO_SUCH_LINK'
      this.links.delete(op.path)
      if (node.links.size === 0) this.liveNodes.delete(op.fnode)
    }
    this.#extend(op.fnode, op)
    return 'OK'
  }

  #extend(fnode: number, op: LoggedOp): void {
    const node = this.liveNodes.get(fnode)
    if (node === undefined) return
    const last = node.segments.at(-1)
    const { seqNo: lastSeqNo, lastOffset, author, log } = op
    if (last?.author === author && last.log === log && !node.closed) {
      node.segments[node.segments.length - 1] = { ...last, lastSeqNo, lastOffset }
      return
    }
    node.closed = false
    node.segments.push({
      author,
      firstSeqNo: lastSeqNo,
      firstOffset: op.firstOffset,
      firstChecksum: op.checksum,
      lastSeqNo,
      lastOffset,
      log,
    })
  }

  #close(fnode: number, op: LoggedOp): void {
    const node = this.liveNodes.get(fnode)
    const last = node?.segments.at(-1)
    if (node === undefined || last === undefined) return
    node.segments[node.segments.length - 1] = { ...last, lastSeqNo: op.seqNo, lastOffset: op.lastOffset }
    node.closed = true
  }

  buildHints(log: string): FSMHints {
    const nodes = [...this.liveNodes].sort(([a], [b]) => a - b)
    const properties = [...this.properties].map(([path, content]) => ({ path, content }))
    return {
      log,
      liveNodes: nodes.map(([fnode, { segments }]) => ({
        fnode,
        segments: segments.map((s) => (s.log === log ? { ...s, log: '' } : s)),
      })),
      properties: properties.sort((a, b) => (a.path < b.path ? -1 : 1)),
    }
  }
}
