import type { FSMHints } from '../../src/fsm/index.ts'
import type { Segment } from '../../src/segments/index.ts'
import { knownKeys } from './known-keys.ts'

/** Hints as Go's encoding/json writes them, parsed. */
export interface GoHints {
  readonly log?: string
  readonly live_nodes:
    readonly { readonly fnode?: number; readonly segments: readonly GoSegment[] | null }[] | null
  readonly properties: readonly { readonly path?: string; readonly content?: string }[] | null
}

interface GoSegment {
  readonly author?: number
  readonly first_seq_no?: number
  readonly first_offset?: number
  readonly first_checksum?: number
  readonly last_seq_no?: number
  readonly last_offset?: number
  readonly log?: string
}

/** The same as ours. A runner of its own, so that the codec is not proved by itself. */
export function fromGoHints(hints: GoHints): FSMHints {
  knownKeys(hints, ['log', 'live_nodes', 'properties'])
  return {
    log: hints.log ?? '',
    liveNodes: (hints.live_nodes ?? []).map((node) => {
      knownKeys(node, ['fnode', 'segments'])
      return { fnode: node.fnode ?? 0, segments: (node.segments ?? []).map(fromGoSegment) }
    }),
    properties: (hints.properties ?? []).map((property) => {
      knownKeys(property, ['path', 'content'])
      return { path: property.path ?? '', content: property.content ?? '' }
    }),
  }
}

function fromGoSegment(segment: GoSegment): Segment {
  knownKeys(segment, GO_SEGMENT_KEYS)
  return {
    author: segment.author ?? 0,
    firstSeqNo: segment.first_seq_no ?? 0,
    firstOffset: segment.first_offset ?? 0,
    firstChecksum: segment.first_checksum ?? 0,
    lastSeqNo: segment.last_seq_no ?? 0,
    lastOffset: segment.last_offset ?? 0,
    log: segment.log ?? '',
  }
}

const GO_SEGMENT_KEYS = [
  'author',
  'first_seq_no',
  'first_offset',
  'first_checksum',
  'last_seq_no',
  'last_offset',
  'log',
]

/** Pieces of one author and log that follow each other in an fnode's segments, as one: as Go builds them. */
export function joinCuts(segments: readonly Segment[]): Segment[] {
  const joined: Segment[] = []
  for (const segment of segments) {
    const before = joined.at(-1)
    if (before?.author === segment.author && before.log === segment.log) {
      joined[joined.length - 1] = { ...before, lastSeqNo: segment.lastSeqNo, lastOffset: segment.lastOffset }
    } else {
      joined.push(segment)
    }
  }
  return joined
}
