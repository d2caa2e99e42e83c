import { expectCases } from './expect-cases.ts'
import { suite } from './ghost.ts'

expectCases(suite, { 'no ghosts': 8, 'equal to Go': 10 })
