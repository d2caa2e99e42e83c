import { suite } from './chains.ts'
import { expectCases } from './expect-cases.ts'

expectCases(suite, { 'equal to Go': 23 })
