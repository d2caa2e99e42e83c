import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { ProcessHolder, ProcessIdentity } from '../directory/index.ts'
import { systemErrorCode } from '../parts/index.ts'

/** When this process began, for systems that do not tell it of others. */
const START_TIME_UNKNOWN = ''

/**
 * This process, as Linux tells it: machine id, boot id, pid namespace and start time. Elsewhere the boot id is not
 * known, and so the holder of a lock is never judged dead by itself: `takeLock` decides.
 */
export const systemProcessIdentity: ProcessIdentity = {
  get self(): ProcessHolder {
    return {
      machine: readWord('/etc/machine-id') || hostname(),
      boot: readWord('/proc/sys/kernel/random/boot_id'),
      pidNamespace: readLink('/proc/self/ns/pid'),
      pid: process.pid,
      startTime: this.startTimeOf(process.pid) ?? START_TIME_UNKNOWN,
    }
  },

  startTimeOf(pid) {
    try {
      const stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1')
      // The name may hold spaces and brackets: the fields are counted from behind it. Field 22 is the start time.
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ESRCH') return undefined
      throw error
    }
  },
}

/** Empty where the system has no such file. */
function readWord(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim()
  } catch {
    return '' // not a Linux, or a container that hides it: the judgement is then "unknown", never "dead"
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return '' // as above
  }
}
