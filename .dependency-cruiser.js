/** A folder of src/ imports only from those above it here: the order of the rooms. */
const ROOMS = [
  'errors',
  'parts',
  'async',
  'wire',
  'segments',
  'fsm',
  'journal',
  'blob',
  'recorder',
  'player',
  'directory',
  'wa-sqlite',
  'pglite',
  'names',
  'archive',
  'storage',
  'coordinator',
  'coordinator-cache',
  'collector',
  'archivist',
  'log-archive',
  'testing',
  'arbitraries',
  'cli',
  'node',
]

const anyOf = (rooms) => `^src/(${rooms.join('|')})/`

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-circles',
      comment: 'Take out what both need into a file of its own.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    ...ROOMS.slice(0, -1).map((room, i) => ({
      name: `${room}-imports-only-from-above`,
      comment: `src/${room} comes before the room it imports from: see the order in .dependency-cruiser.js.`,
      severity: 'error',
      from: { path: anyOf([room]) },
      to: { path: anyOf(ROOMS.slice(i + 1)) },
    })),
    {
      name: 'rooms-through-their-index',
      comment: 'What another room may use is listed in its index.ts.',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: {
        path: '^src/[^/]+/',
        pathNot: ['^src/$1/', '^src/[^/]+/index[.]ts$', '^src/[^/]+/[^/]+/index[.]ts$'],
      },
    },
    {
      name: 'no-unknown-room',
      comment: 'A new room takes its place in the order of .dependency-cruiser.js.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: anyOf(ROOMS) },
      to: {},
    },
    {
      name: 'rooms-below-the-doors',
      comment: 'src/index.ts is for users, rooms import rooms.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: '^src/node/' },
      to: { path: '^src/index[.]ts$' },
    },
    {
      name: 'src-stands-alone',
      comment: 'What is shipped imports nothing of tests, benches, examples and scripts.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|examples|scripts)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true, // imports of types are imports
  },
}
