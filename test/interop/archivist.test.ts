import { suite } from './archivist.ts'
import { expectCases } from './expect-cases.ts'

expectCases(suite, { 'equal to Go': 29, doubtful: 50, counted: 1 })
