// @ts-check
import { builtinModules } from 'node:module'
import tseslint from 'typescript-eslint'

/** Whatever touches the world is handed in: a pure room uses none of these, but what stands beside them. */
const PURE = {
  globals: {
    Buffer: 'Use Uint8Array, TextEncoder and TextDecoder: the core runs in browsers.',
    clearInterval: 'Use the Clock that is handed in (src/parts).',
    clearTimeout: 'Use the Clock that is handed in (src/parts).',
    console: 'Throw a RecoveryLogError, or tell a callback that is handed in: nothing is logged.',
    crypto: 'Use the Random that is handed in (src/parts).',
    fetch: 'Use a back end that is handed in: the core reaches no network.',
    performance: 'Use the Clock that is handed in (src/parts).',
    process: 'Take an option: the core knows no process.',
    require: 'Use import.',
    setImmediate: 'Use the Clock that is handed in (src/parts), or await Promise.resolve().',
    setInterval: 'Use the Clock that is handed in (src/parts).',
    setTimeout: 'Use the Clock that is handed in (src/parts).',
  },
  properties: [
    { object: 'Date', property: 'now', message: 'Use the Clock that is handed in (src/parts).' },
    { object: 'Math', property: 'random', message: 'Use the Random that is handed in (src/parts).' },
    { object: 'globalThis', property: 'process', message: 'Take an option: the core knows no process.' },
    { object: 'AbortSignal', property: 'timeout', message: 'Use Clock.sleep with an AbortController.' },
  ],
  syntax: [
    {
      selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
      message: 'Use the Clock that is handed in (src/parts): new Date(clock.now()).',
    },
    {
      selector: 'CallExpression[callee.name="Date"]',
      message: 'Use the Clock that is handed in (src/parts): new Date(clock.now()).',
    },
  ],
  modules: {
    regex: `^(node:|(${builtinModules.join('|')})(/|$))`,
    allowTypeImports: true,
    message:
      'Use what is handed in: SyncFileSystem, Clock and Random of src/parts. Node is at home in src/node, src/cli and file back ends.',
  },
}

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', '.tmp/', 'test/vectors/', '**/*static.js'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      curly: ['error', 'multi-line'],
      eqeqeq: 'error',
      'no-restricted-syntax': 'error',
      'no-warning-comments': 'error',
      'object-shorthand': 'error',
      'prefer-template': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      // It would have us write `x!` for `x as number`, and a `!` ought to stand out.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      '@typescript-eslint/prefer-readonly': 'error',
      // A method of a promised interface is async so that what it throws is a rejection, whether it waits or not.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ['src/**'],
    rules: {
      'max-lines': ['error', 400],
      'max-lines-per-function': ['error', 70],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
    },
  },
  {
    files: ['src/**'],
    ignores: ['src/node/**', 'src/cli/**', 'src/**/file/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...Object.entries(PURE.globals).map(([name, message]) => ({ name, message })),
      ],
      'no-restricted-properties': ['error', ...PURE.properties],
      'no-restricted-syntax': ['error', ...PURE.syntax],
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: [PURE.modules] }],
    },
  },
  {
    files: ['test/**', 'bench/**', 'examples/**', 'scripts/**'],
    rules: {
      // A test helper that answers what its caller says it is: `json<Case[]>(path)`.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
    },
  },
  { files: ['**/*.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
)
