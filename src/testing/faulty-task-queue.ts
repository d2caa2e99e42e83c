import type {
  ArchiveTask,
  DeadLetter,
  ReleaseOptions,
  TaskKey,
  TaskLease,
  TaskQueue,
} from '../coordinator/index.ts'
import type { WithSignal } from '../storage/index.ts'
import { FaultyCalls } from './call-fault.ts'
import type { CallFaultPlan } from './call-fault.ts'

/** A task queue on another one, whose calls, and each step of `deadLetters`, meet faults by plan. */
export function faultyTaskQueue(queue: TaskQueue, plan: CallFaultPlan): TaskQueue {
  return new FaultyTaskQueue(queue, plan)
}

class FaultyTaskQueue implements TaskQueue {
  readonly #inner: TaskQueue
  readonly #calls: FaultyCalls

  constructor(inner: TaskQueue, plan: CallFaultPlan) {
    this.#inner = inner
    this.#calls = new FaultyCalls(plan)
  }

  put(task: ArchiveTask, dueMs: number, options?: WithSignal): Promise<boolean> {
    const args = [task, dueMs, options]
    return this.#calls.call('put', args, () => this.#inner.put(task, dueMs, options))
  }

  lease(
    request: { readonly max: number; readonly leaseMs: number } & WithSignal,
  ): Promise<readonly TaskLease[]> {
    return this.#calls.call('lease', [request], () => this.#inner.lease(request))
  }

  extend(lease: TaskLease, leaseMs: number, options?: WithSignal): Promise<TaskLease> {
    const args = [lease, leaseMs, options]
    return this.#calls.call('extend', args, () => this.#inner.extend(lease, leaseMs, options))
  }

  acknowledge(lease: TaskLease, options?: WithSignal): Promise<void> {
    return this.#calls.call('acknowledge', [lease, options], () => this.#inner.acknowledge(lease, options))
  }

  release(lease: TaskLease, options: ReleaseOptions): Promise<void> {
    return this.#calls.call('release', [lease, options], () => this.#inner.release(lease, options))
  }

  has(task: TaskKey, options?: WithSignal): Promise<boolean> {
    return this.#calls.call('has', [task, options], () => this.#inner.has(task, options))
  }

  deadLetters(options?: WithSignal): AsyncIterable<DeadLetter> {
    return this.#calls.iterate('deadLetters', [options], () => this.#inner.deadLetters(options))
  }

  revive(task: TaskKey, options?: WithSignal): Promise<boolean> {
    return this.#calls.call('revive', [task, options], () => this.#inner.revive(task, options))
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
