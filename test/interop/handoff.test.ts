import { expectCases } from './expect-cases.ts'
import { suite } from './handoff.ts'

expectCases(suite, { 'equal to Go': 5, 'as the spec says': 1 })
