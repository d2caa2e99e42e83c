import { appended } from './hints.ts'
import type { FnodeSegments, FSMHints, Property, Segment } from './hints.ts'
import { JsonKeys, JsonReader } from './json-reader.ts'

const UINT32_MAX = 0xffff_ffff
const INT64_MAX = Number.MAX_SAFE_INTEGER

// The order of the keys is the order of the cases below.
const HINTS_KEYS = new JsonKeys(['log', 'live_nodes', 'properties'])
const NODE_KEYS = new JsonKeys(['fnode', 'segments'])
const SEGMENT_KEYS = new JsonKeys([
  'author',
  'first_seq_no',
  'first_offset',
  'first_checksum',
  'last_seq_no',
  'last_offset',
  'log',
])
const PROPERTY_KEYS = new JsonKeys(['path', 'content'])

/**
 * Reads hints from JSON in UTF-8, by the rules of Go (recovery-log spec, section 2). A list that comes twice is taken as it
 * comes last. Throws `HINTS_INVALID`, with the byte's place and what is there, for everything else.
 */
export function hintsFromJson(bytes: Uint8Array): FSMHints {
  const json = new JsonReader(bytes)
  let log = ''
  let liveNodes: FnodeSegments[] = []
  let properties: Property[] = []
  for (let more = json.beginObject('the document'); more; more = json.moreMembers()) {
    switch (json.key(HINTS_KEYS)) {
      case 0:
        log = json.string('log', log)
        break
      case 1:
        liveNodes = readList(json, 'live_nodes', readNode)
        break
      case 2:
        properties = readList(json, 'properties', readProperty)
        break
      default:
        json.skip()
    }
  }
  json.end()
  return { log, liveNodes, properties }
}

function readList<T>(json: JsonReader, name: string, read: (json: JsonReader) => T): T[] {
  let list: T[] = []
  for (let more = json.beginList(name); more; more = json.moreElements()) list = appended(list, read(json))
  return list
}

function readNode(json: JsonReader): FnodeSegments {
  let fnode = 0
  let segments: Segment[] = []
  for (let more = json.beginObject('live_nodes'); more; more = json.moreMembers()) {
    const key = json.key(NODE_KEYS)
    if (key === 0) fnode = json.integer('fnode', INT64_MAX, fnode)
    else if (key === 1) segments = readList(json, 'segments', readSegment)
    else json.skip()
  }
  return { fnode, segments }
}

function readSegment(json: JsonReader): Segment {
  const segment = {
    author: 0,
    firstSeqNo: 0,
    firstOffset: 0,
    firstChecksum: 0,
    lastSeqNo: 0,
    lastOffset: 0,
    log: '',
  }
  for (let more = json.beginObject('segments'); more; more = json.moreMembers()) {
    switch (json.key(SEGMENT_KEYS)) {
      case 0:
        segment.author = json.integer('author', UINT32_MAX, segment.author)
        break
      case 1:
        segment.firstSeqNo = json.integer('first_seq_no', INT64_MAX, segment.firstSeqNo)
        break
      case 2:
        segment.firstOffset = json.integer('first_offset', INT64_MAX, segment.firstOffset)
        break
      case 3:
        segment.firstChecksum = json.integer('first_checksum', UINT32_MAX, segment.firstChecksum)
        break
      case 4:
        segment.lastSeqNo = json.integer('last_seq_no', INT64_MAX, segment.lastSeqNo)
        break
      case 5:
        segment.lastOffset = json.integer('last_offset', INT64_MAX, segment.lastOffset)
        break
      case 6:
        segment.log = json.string('log', segment.log)
        break
      default:
        json.skip()
    }
  }
  return segment
}

function readProperty(json: JsonReader): Property {
  let path = ''
  let content = ''
  for (let more = json.beginObject('properties'); more; more = json.moreMembers()) {
    const key = json.key(PROPERTY_KEYS)
    if (key === 0) path = json.string('path', path)
    else if (key === 1) content = json.string('content', content)
    else json.skip()
  }
  return { path, content }
}
