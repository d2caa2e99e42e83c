import { expectCases } from './expect-cases.ts'
import { randomSuite, suite } from './fsm.ts'

expectCases(suite, { 'equal to Go': 50, 'typed error': 11, malformed: 3, 'no ghosts': 1, 'cut hints': 3 })
expectCases(randomSuite, { 'equal to Go': 147, malformed: 1, 'no ghosts': 2 })
