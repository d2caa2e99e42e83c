import { expectCases } from './expect-cases.ts'
import { suite } from './logs.ts'

expectCases(suite, {
  'equal to Go': 85,
  'no ghosts': 9,
  'cut hints': 20,
  'as the spec says': 9,
  'typed error': 27,
  confinement: 11,
})
