import { suite as archives } from './archives.ts'
import { suite as archivist } from './archivist.ts'
import { suite as authors } from './authors.ts'
import { suite as bundles } from './bundles.ts'
import { suite as cache } from './cache.ts'
import { suite as chains } from './chains.ts'
import { suite as coordinator } from './coordinator.ts'
import { suite as frames } from './frames.ts'
import { randomSuite as fsmRandom, suite as fsm } from './fsm.ts'
import { suite as generated } from './generated.ts'
import { suite as ghost } from './ghost.ts'
import { suite as handoff } from './handoff.ts'
import { suite as hints } from './hints.ts'
import { suite as ids } from './ids.ts'
import { suite as logsApi } from './logs-api.ts'
import { suite as logs } from './logs.ts'
import { suite as messages } from './messages.ts'
import { suite as names } from './names.ts'
import { suite as recorder } from './recorder.ts'
import { suite as recordio } from './recordio.ts'
import { suite as registers } from './registers.ts'
import { suite as renderer } from './renderer.ts'
import { suite as segments } from './segments.ts'
import type { VectorSuite } from './vector-run.ts'

/** Everything that runs vectors, in the order of test/vectors/README.md. */
export const suites: readonly VectorSuite[] = [
  frames,
  chains,
  fsm,
  fsmRandom,
  segments,
  hints,
  authors,
  registers,
  recorder,
  handoff,
  ghost,
  logs,
  recordio,
  names,
  ids,
  messages,
  archives,
  generated,
  renderer,
  archivist,
  bundles,
  cache,
  logsApi,
  coordinator,
]

/** Files and folders of which nothing is built yet. */
export const later: readonly string[] = []
