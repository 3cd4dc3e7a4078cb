/** The directions of ARCHITECTURE.md: console → protocol; hub | agent | cli → tunnel → protocol; only main.ts wires. */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'protocol-is-a-leaf',
      severity: 'error',
      from: { path: '^packages/protocol/src' },
      to: { path: ['^packages/(?!protocol)', '^test', '^bench'] },
    },
    {
      name: 'protocol-is-browser-neutral',
      severity: 'error',
      from: { path: '^packages/protocol/src' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'tunnel-knows-only-protocol',
      severity: 'error',
      from: { path: '^packages/tunnel/src' },
      to: { path: '^packages/(?!protocol|tunnel)' },
    },
    {
      name: 'never-sideways',
      severity: 'error',
      from: { path: '^packages/(hub|agent|cli)/src', pathNot: '^packages/cli/src/main\\.ts$' },
      to: { path: '^packages/(hub|agent|cli)/src', pathNot: '^packages/$1/src' },
    },
    {
      name: 'products-do-not-know-tests',
      severity: 'error',
      from: { path: '^packages/[^/]+/src' },
      to: { path: ['^test/', '^bench/', '/test/'] },
    },
    {
      name: 'declared-dependencies-only',
      severity: 'error',
      from: { path: '^packages/[^/]+/src' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: false,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'default'] },
  },
}
