import { suite } from './cache.ts'
import { expectCases } from './expect-cases.ts'

expectCases(suite, { behaviour: 28, doubtful: 14 })
