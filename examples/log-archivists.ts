/** Who writes, and who archives: processes on the same parts. */
import { LogArchive } from 'recoverylog/node'

// #region archivists
// In the service: it writes, and leaves the rest to others.
const service = await LogArchive.open({ dir: 'logs', archivist: false, sweep: false })

// In any number of processes beside it.
const worker = await LogArchive.open({
  dir: 'logs',
  archivist: { concurrency: 16 },
  sweep: { everyMs: 60_000 },
  onTask: ({ task, path, ending, what }) => console.log(task.reason, path, ending, what),
  onError: (error) => console.error(error.code, error.data), // it is tried again
})

// What cannot be archived waits for somebody to look at it.
for await (const { project, id, path, reason } of worker.coordinator.quarantined()) {
  console.log(path, reason)
  await worker.coordinator.releaseQuarantined({ project, id, skipDamaged: true })
}
// #endregion
await worker.close()
await service.close()
