import { throwIfAborted } from '../async/index.ts'
import { toBase64 } from '../coordinator/index.ts'
import type {
  LogStreamState,
  RegisterStreamRequest,
  StreamRegistrar,
  TerminateStreamRequest,
} from '../coordinator/index.ts'
import { joinStreamPath } from '../names/index.ts'
import { decodeDescriptor, PROTOCOL_VERSION } from '../wire/logdog/index.ts'
import type { WithSignal } from '../storage/index.ts'
import { errorOfAnswer, errorOfClient } from './grpc-error.ts'
import { decodeRegisterAnswer, fieldsOf } from './services-client.ts'
import type { ServicesClient } from './services-client.ts'

/**
 * The coordinator of a LogDog that runs elsewhere, over any client of its services API that is handed in. It retries
 * nothing: what may go well later has the kind `unavailable`.
 *
 * ```ts
 * const coordinator = new CoordinatorCache({ coordinator: new RemoteCoordinator(client), clock })
 * ```
 */
export class RemoteCoordinator implements StreamRegistrar {
  readonly #client: ServicesClient

  constructor(client: ServicesClient) {
    this.#client = client
  }

  /**
   * @throws RecoveryLogError `INVALID`, `NOT_FOUND`, `DENIED`, `CONFLICT`, `ALREADY_EXISTS`, `UNAVAILABLE` as the service
   *   says (see `GRPC_CODES`), `CORRUPT` for an answer that is none and for a descriptor that cannot be decoded; `ABORTED`
   */
  async registerStream(request: RegisterStreamRequest): Promise<LogStreamState> {
    const { project, secret, descriptor, terminalIndex = -1, protoVersion = PROTOCOL_VERSION } = request
    const { prefix, name } = decodeDescriptor(descriptor)
    const message = {
      project,
      secret: toBase64(secret),
      protoVersion,
      desc: toBase64(descriptor),
      terminalIndex: String(terminalIndex),
    }
    const answer = await answered('registerStream', request.signal, (options) =>
      this.#client.registerStream(message, options),
    )
    return { project, path: joinStreamPath(prefix, name), ...decodeRegisterAnswer(answer) }
  }

  /** @throws RecoveryLogError as `registerStream` does, but for what concerns answer and descriptor */
  async terminateStream(request: TerminateStreamRequest): Promise<void> {
    const { project, id, secret, terminalIndex } = request
    const message = { project, id, secret: toBase64(secret), terminalIndex: String(terminalIndex) }
    await answered('terminateStream', request.signal, (options) =>
      this.#client.terminateStream(message, options),
    )
  }
}

/** Makes a call. An answer can hold an error in place of what was asked for. */
async function answered(
  method: keyof ServicesClient,
  signal: AbortSignal | undefined,
  send: (options: WithSignal) => Promise<unknown>,
): Promise<unknown> {
  throwIfAborted(signal)
  let answer: unknown
  try {
    answer = await send(signal === undefined ? {} : { signal })
  } catch (error) {
    throw errorOfClient(error, method, signal)
  }
  const { error = null } = fieldsOf(answer)
  if (error !== null) throw errorOfAnswer(error, method)
  return answer
}
