import { expectCases } from './expect-cases.ts'
import { suite } from './frames.ts'

expectCases(suite, { 'equal to Go': 142, malformed: 12, 'typed error': 30 })
