import { expectCases } from './expect-cases.ts'
import { suite } from './segments.ts'

expectCases(suite, { 'equal to Go': 516 })
