/**
 * Where to read next (recovery-log spec, sections 7.3 and 7.7), decided from what is left of the hints and from the
 * place that reading has come to.
 */
import type { Segment } from '../wire/index.ts'

/** The first hinted segment, seen from the offset of reading. */
export const NEXT_HINTS = ['none', 'ahead', 'here or behind'] as const
export type NextHint = (typeof NEXT_HINTS)[number]

/** What is being read, seen from the log wanted: that of the first hinted segment, else the one played to its head. */
export const PLACES = ['another log', 'before its head', 'at its head'] as const
export type Place = (typeof PLACES)[number]

export type NextRead = 'seek to the hint' | 'seek to the beginning' | 'read on' | 'data loss' | 'at the head'

interface Row {
  readonly hint: NextHint
  readonly place: Place | 'any'
  readonly then: NextRead
}

/** Exactly one row holds for each hint and place. */
export const NEXT_READ: readonly Row[] = [
  { hint: 'ahead', place: 'any', then: 'seek to the hint' },
  { hint: 'here or behind', place: 'another log', then: 'seek to the hint' },
  { hint: 'here or behind', place: 'before its head', then: 'read on' },
  { hint: 'here or behind', place: 'at its head', then: 'data loss' },
  { hint: 'none', place: 'another log', then: 'seek to the beginning' },
  { hint: 'none', place: 'before its head', then: 'read on' },
  { hint: 'none', place: 'at its head', then: 'at the head' },
]

export interface Reading {
  /** Empty before anything has been read. */
  readonly log: string
  readonly offset: number
  /** Through where that log is to be read. */
  readonly head: number
  /** The log that is played to its head in the end. */
  readonly lastLog: string
}

/** What to do next, with `segment` the first hinted one that is left. */
export function nextRead(segment: Segment | undefined, reading: Reading): NextRead {
  const hint = hintOf(segment, reading)
  const place = placeOf(segment, reading)
  const row = NEXT_READ.find((row) => row.hint === hint && (row.place === 'any' || row.place === place))
  if (row === undefined) throw new TypeError(`no row for ${hint}, ${place}`)
  return row.then
}

function hintOf(segment: Segment | undefined, reading: Reading): NextHint {
  if (segment === undefined) return 'none'
  return segment.firstOffset > reading.offset ? 'ahead' : 'here or behind'
}

function placeOf(segment: Segment | undefined, reading: Reading): Place {
  if (reading.log !== (segment?.log ?? reading.lastLog)) return 'another log'
  return reading.offset < reading.head ? 'before its head' : 'at its head'
}
