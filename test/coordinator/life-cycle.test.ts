import { describe, expect, it } from 'vitest'
import { LIFE_CYCLE, STREAM_EVENTS, STREAM_PHASES, stepOf } from '../../src/coordinator/index.ts'
import type { StreamEvent, StreamPhase, StreamStep } from '../../src/coordinator/index.ts'

/** The table once more, a line for each phase: what each event does, in the order of `STREAM_EVENTS`. */
const WALK: Readonly<Record<StreamPhase, readonly string[]>> = {
  streaming: [
    ...['→terminated', '→pending+archive', '→pending', '!CONFLICT', '!CONFLICT', '-'],
    ...['!CONFLICT', '!CONFLICT', '→quarantined', '!CONFLICT', '→purged+purge', '-'],
  ],
  terminated: [
    ...['!CONFLICT', '→pending+archive', '→pending', '!CONFLICT', '!CONFLICT', '-'],
    ...['!CONFLICT', '!CONFLICT', '→quarantined', '!CONFLICT', '→purged+purge', '-'],
  ],
  pending: [
    ...['=', '=+archive', '-', '=', '=', '='],
    ...['→archived', '!CONFLICT', '→quarantined', '-', '→purged+purge', '-'],
  ],
  archived: [
    ...['!CONFLICT', '=+clean', '-', '-', '!CONFLICT', '-'],
    ...['-', '→cleaned', '!CONFLICT', '!CONFLICT', '→purged+purge', '-'],
  ],
  cleaned: [
    ...['!CONFLICT', '-', '-', '-', '!CONFLICT', '-'],
    ...['-', '-', '!CONFLICT', '!CONFLICT', '→purged+purge', '-'],
  ],
  purged: [
    ...['!PURGED', '=+purge', '-', '-', '!CONFLICT', '-'],
    ...['!PURGED', '-', '!CONFLICT', '!PURGED', '-', '→streaming'],
  ],
  quarantined: [
    ...['=', '-', '-', '-', '!CONFLICT', '-'],
    ...['!QUARANTINED', '!CONFLICT', '-', '→pending+archive', '→purged+purge', '-'],
  ],
}

function spelled(step: StreamStep): string {
  switch (step.kind) {
    case 'moves':
      return `→${step.to}${step.task === undefined ? '' : `+${step.task}`}`
    case 'stays':
      return `=${step.task === undefined ? '' : `+${step.task}`}`
    case 'ignored':
      return '-'
    case 'refused':
      return `!${step.code}`
  }
}

describe('life cycle', () => {
  it('table: each phase and event is in exactly one row', () => {
    for (const phase of STREAM_PHASES) {
      for (const event of STREAM_EVENTS) {
        const rows = LIFE_CYCLE.filter((row) => row.event === event && row.from.includes(phase))
        expect(rows.length, `${phase} ${event}`).toBe(1)
      }
    }
  })

  it.each(STREAM_PHASES)('table: what each event does to a stream that is %s', (phase) => {
    const walked = STREAM_EVENTS.map((event: StreamEvent) => `${event} ${spelled(stepOf(phase, event))}`)
    expect(walked).toEqual(STREAM_EVENTS.map((event, i) => `${event} ${WALK[phase][i] ?? ''}`))
  })

  it('table: archived streams never come back, and every row says why', () => {
    for (const { label, from, step } of LIFE_CYCLE) {
      expect(label).not.toBe('')
      if (step.kind !== 'moves') continue
      if (from.includes('archived')) expect(['cleaned', 'purged']).toContain(step.to)
      if (from.includes('cleaned')) expect(step.to).toBe('purged')
    }
  })
})
