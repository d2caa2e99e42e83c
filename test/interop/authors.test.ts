import { suite } from './authors.ts'
import { expectCases } from './expect-cases.ts'

expectCases(suite, { 'equal to Go': 40 })
