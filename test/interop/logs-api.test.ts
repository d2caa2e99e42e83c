import { expectCases } from './expect-cases.ts'
import { suite } from './logs-api.ts'

expectCases(suite, {
  behaviour: 49,
  'equal to Go': 2,
  'as the spec says': 17,
  'typed error': 23,
  doubtful: 11,
  counted: 8,
})
