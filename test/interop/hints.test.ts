import { expectCases } from './expect-cases.ts'
import { suite } from './hints.ts'

expectCases(suite, {
  'equal to Go': 91,
  malformed: 5,
  'as the spec says': 1,
  'typed error': 23,
})
