import { describe, expect, it } from 'vitest'
import { checkSettings, Coordinator, DEFAULT_COORDINATOR_SETTINGS } from '../../src/coordinator/index.ts'
import type { OwnSettings } from '../../src/coordinator/index.ts'
import { DAY_MS, HOUR_MS, makeStream, makeWorld, MINUTE_MS, PROJECT } from './coordinator-world.ts'

describe('coordinator settings', () => {
  it('levels: the project says more than the service, the store more than the parts', async () => {
    const { coordinator, parts } = makeWorld({ settings: { byteRange: 1, base: 'parts' } })
    expect(await coordinator.settings()).toEqual({
      ...DEFAULT_COORDINATOR_SETTINGS,
      byteRange: 1,
      base: 'parts',
    })
    await coordinator.setSettings({ byteRange: 2, streamIndexRange: 2 })
    await coordinator.setSettings({ streamIndexRange: 3, renderData: true }, PROJECT)
    const expected = { base: 'parts', byteRange: 2, streamIndexRange: 3, renderData: true }
    expect(await coordinator.settings(PROJECT)).toMatchObject(expected)
    expect(await new Coordinator(parts).settings(PROJECT)).toMatchObject(expected)
    expect(await coordinator.settings('other')).toMatchObject({ streamIndexRange: 2, renderData: false })
    await coordinator.setSettings({}, PROJECT)
    expect(await coordinator.settings(PROJECT)).toMatchObject({ streamIndexRange: 2, renderData: false })
  })

  it('expiration: the shortest of service and project', async () => {
    const { coordinator } = makeWorld()
    await coordinator.setSettings({ prefixExpirationMs: 2 * DAY_MS }, PROJECT)
    expect((await coordinator.settings(PROJECT)).prefixExpirationMs).toBe(DAY_MS)
    await coordinator.setSettings({ prefixExpirationMs: HOUR_MS }, PROJECT)
    expect((await coordinator.settings(PROJECT)).prefixExpirationMs).toBe(HOUR_MS)
  })

  it.each([
    ['byteRange', 1.5],
    ['sizeLimitBytes', -1],
    ['renderData', 'yes'],
    ['base', ''],
    ['staging', '//'],
    ['archiveDelayMs', -1],
    ['archiveMaxDelayMs', Number.NaN],
    ['archiveSettleDelayMs', -1],
    ['storageCleanupDelayMs', null],
    ['prefixExpirationMs', -1],
    ['purgeTruncated', undefined],
    ['unheardOf', 1],
    ['toString', 1],
  ])('validation: %s of %s is INVALID, and says so', async (setting, value) => {
    const settings = { [setting]: value } as OwnSettings
    const expected = {
      code: 'INVALID',
      data: { setting, value },
      message: expect.stringContaining(setting) as string,
    }
    const { coordinator, parts } = makeWorld()
    expect(() => {
      checkSettings(settings)
    }).toThrow(expect.objectContaining(expected) as Error)
    expect(() => new Coordinator({ ...parts, settings })).toThrow(expect.objectContaining(expected) as Error)
    await expect(coordinator.setSettings(settings, PROJECT)).rejects.toMatchObject(expected)
    expect(await coordinator.settings(PROJECT)).toEqual(DEFAULT_COORDINATOR_SETTINGS)
  })

  it('validation: what is good is taken, the settle delay also as null', () => {
    checkSettings({ ...DEFAULT_COORDINATOR_SETTINGS, archiveSettleDelayMs: 5, byteRange: -1 })
    checkSettings(DEFAULT_COORDINATOR_SETTINGS)
  })

  it('projects: one with a bad name has none', async () => {
    const { coordinator } = makeWorld()
    await expect(coordinator.settings('')).rejects.toMatchObject({ code: 'NAME_INVALID' })
    await expect(coordinator.setSettings({}, 'A')).rejects.toMatchObject({ code: 'NAME_INVALID' })
  })

  it('a change: counts for what comes next; a longer delay also for what waits', async () => {
    const world = makeWorld()
    const { coordinator, clock } = world
    const first = await makeStream(world, { terminalIndex: 1 })
    await coordinator.setSettings({ archiveDelayMs: HOUR_MS }, PROJECT)
    clock.nowMs += 5 * MINUTE_MS
    expect(await coordinator.dispatchDue()).toBe(0)
    expect((await coordinator.loadStream(first)).record.phase).toBe('terminated')
    clock.nowMs += HOUR_MS
    expect(await coordinator.dispatchDue()).toBe(1)
    await coordinator.setSettings({ archiveDelayMs: 0 }, PROJECT)
    await makeStream(world, { secret: first.secret, name: 'b', terminalIndex: 1 })
    expect(await coordinator.dispatchDue()).toBe(1)
  })

  it('damage: stored settings that are none are CORRUPT', async () => {
    const { coordinator, streamStore } = makeWorld()
    const document = { kind: 'settings', project: PROJECT, name: 'settings', dueMs: null }
    await streamStore.create(`project/${PROJECT}`, { ...document, value: { byteRange: 'many' } })
    await expect(coordinator.settings(PROJECT)).rejects.toMatchObject({
      code: 'CORRUPT',
      data: { project: PROJECT },
    })
  })
})
