import { expectCases } from './expect-cases.ts'
import { suite } from './recorder.ts'

expectCases(suite, { 'equal to Go': 14, 'typed error': 20, 'as the spec says': 9 })
