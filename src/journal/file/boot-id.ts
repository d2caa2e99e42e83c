import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'

/** The boot time of systems that have no boot id is known only about as well as this. */
const BOOT_TIME_GRAIN_MS = 60_000

/**
 * Names this boot of the machine. What a head file says holds only in the boot that wrote it: after a power loss its
 * last state may not have reached the disk.
 */
export function systemBootId(path = '/proc/sys/kernel/random/boot_id'): string {
  try {
    return readFileSync(path, 'latin1').trim()
  } catch {
    // No Linux. A clock that was moved makes it another boot, which only costs a scan.
    return `up-${String(Math.round((Date.now() - uptime() * 1000) / BOOT_TIME_GRAIN_MS))}`
  }
}
