/**
 * Drives steps (`steps.ts`). Whatever changes something runs in the order of the calls, one call after the other: on a
 * file system with synchronous functions at once, in the turn of the call, unless it has to wait for room in the
 * recorder's queue; then those called later wait behind it.
 */
import { Deferred } from '../../async/index.ts'
import { RecoveryLogError } from '../../errors/index.ts'
import type { Disk } from './disk.ts'
import type { Recorder } from '../recorder.ts'
import { type DiskRequest, Durable, type Request, type RoomRequest, type Steps } from './steps.ts'

/** A call under way, with the request that it waits for. */
class Task {
  readonly #steps: Steps<unknown>
  readonly done = new Deferred<unknown>()
  /** Undefined before it has begun, and when it has ended. */
  pending: Request | undefined
  #hasBegun = false

  constructor(steps: Steps<unknown>) {
    this.#steps = steps
  }

  /** Runs to the first request. Once only. */
  begin(): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    this.#advance(() => this.#steps.next())
  }

  answer(value: unknown): void {
    this.#advance(() => this.#steps.next(value))
  }

  fail(error: unknown): void {
    this.#advance(() => this.#steps.throw(error))
  }

  #advance(step: () => IteratorResult<Request, unknown>): void {
    try {
      const { done, value } = step()
      this.pending = done === true ? undefined : value
      if (done === true) this.done.resolve(value)
    } catch (error) {
      this.pending = undefined
      this.done.reject(error)
    }
  }
}

export class Runner {
  readonly #disk: Disk
  readonly #recorder: Recorder
  /** The first one waits for its request, the others for the first one. */
  readonly #waiting: Task[] = []
  #isStopped = false

  constructor(disk: Disk, recorder: Recorder) {
    this.#disk = disk
    this.#recorder = recorder
  }

  /** Whether nothing may be changed right away: calls wait, or it has been stopped. */
  get isBlocked(): boolean {
    return this.#waiting.length > 0 || this.#isStopped
  }

  /** Whatever asks for room from now on gets `CLOSED`. */
  stop(): void {
    this.#isStopped = true
  }

  /** Whether a call of `bytes` would be done before it returns. If not, it must not keep the caller's buffers. */
  isImmediate(bytes: number): boolean {
    return this.#disk.isSync && this.#waiting.length === 0 && this.#recorder.fits(bytes)
  }

  /** Runs to the end now. What waits is brought to its end before. */
  runSync(steps: Steps<unknown>): unknown {
    while (this.#waiting.length > 0) this.#finishSync(this.#waiting[0] as Task)
    const value = this.runFreeSync(steps)
    if (!(value instanceof Durable)) return value
    if (this.#canFlushSync) this.#recorder.flushSync()
    else this.#throwFailure()
    return value.value
  }

  /** Runs to the end now, beside what waits: for what changes nothing. */
  runFreeSync(steps: Steps<unknown>): unknown {
    let next = steps.next()
    while (next.done !== true) {
      const request = next.value
      let answer: unknown
      try {
        answer =
          request.kind === 'call' ? this.#disk.call(request.method, request.args) : this.#makeRoom(request)
      } catch (error) {
        next = steps.throw(error)
        continue
      }
      next = steps.next(answer)
    }
    return next.value
  }

  /** Runs in the order of the calls. */
  async run(steps: Steps<unknown>): Promise<unknown> {
    const task = new Task(steps)
    if (this.#waiting.length > 0 || !this.#isDoneAtOnce(task)) {
      this.#waiting.push(task)
      if (this.#waiting.length === 1) void this.#work()
    }
    const value = await task.done.promise
    if (!(value instanceof Durable)) return value
    await this.#recorder.barrier()
    return value.value
  }

  /** Runs beside all others, by the promises of the underlying file system: for what changes nothing. */
  async runFree(steps: Steps<unknown>): Promise<unknown> {
    let next = steps.next()
    while (next.done !== true) {
      const { method, args } = next.value as DiskRequest
      let answer: unknown
      try {
        answer = await this.#disk.callAsync(method, args)
      } catch (error) {
        next = steps.throw(error)
        continue
      }
      next = steps.next(answer)
    }
    return next.value
  }

  /** Ends or begins the first task, then the next, until none waits. */
  async #work(): Promise<void> {
    for (let task = this.#waiting[0]; task !== undefined; task = this.#waiting[0]) {
      if (!this.#isDoneAtOnce(task)) await this.#serve(task)
      else if (this.#waiting[0] === task) this.#waiting.shift()
    }
  }

  /** Gets the task what it waits for. A synchronous call may meanwhile go on with it, or end it. */
  async #serve(task: Task): Promise<void> {
    const request = task.pending as Request
    try {
      const answer = request.kind === 'call' ? await this.#disk.callAsync(request.method, request.args) : true
      if (request.kind === 'room') await this.#recorder.room(request.bytes)
      if (task.pending === request) task.answer(answer)
    } catch (error) {
      if (task.pending === request) task.fail(error)
    }
  }

  /** Goes on with the task as far as nothing has to be waited for, and answers whether that was to its end. */
  #isDoneAtOnce(task: Task): boolean {
    task.begin()
    for (let request = task.pending; request !== undefined; request = task.pending) {
      if (request.kind === 'room' ? !this.#isGranted(request.bytes) : !this.#disk.isSync) return false
      this.#answerSync(task, request)
    }
    return true
  }

  /** Ends the first task. What it needs and cannot have, the synchronous caller cannot have either: that one is told. */
  #finishSync(task: Task): void {
    task.begin()
    for (let request = task.pending; request !== undefined; request = task.pending) {
      if (request.kind === 'room' && !this.#isGranted(request.bytes)) {
        this.#makeRoom({ ...request, isOptional: false })
      }
      this.#answerSync(task, request)
    }
    this.#waiting.shift()
  }

  /** Answers what can be answered now: room has been granted. */
  #answerSync(task: Task, request: Request): void {
    let answer: unknown = true
    try {
      if (request.kind === 'call') answer = this.#disk.call(request.method, request.args)
      else this.#throwFailure()
    } catch (error) {
      task.fail(error)
      return
    }
    task.answer(answer)
  }

  #makeRoom({ bytes, isOptional }: RoomRequest): boolean {
    this.#throwFailure()
    if (isOptional && !this.#canFlushSync) return false
    this.#recorder.admit(bytes)
    return true
  }

  /** Whether a request for room can be answered now, be it with the failure of the recorder. */
  #isGranted(bytes: number): boolean {
    return this.#isStopped || this.#recorder.failure !== undefined || this.#recorder.fits(bytes)
  }

  get #canFlushSync(): boolean {
    return this.#recorder.journal.supports.appendSync
  }

  #throwFailure(): void {
    if (this.#recorder.failure !== undefined) throw this.#recorder.failure
    if (this.#isStopped) throw new RecoveryLogError('CLOSED', 'the recorded file system has been closed')
  }
}
