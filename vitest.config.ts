import { defineConfig } from 'vitest/config'

/** `unit` is the fast part; `cluster` brings up real control planes; scenarios live in test/e2e and run by its own runner. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/test/**/*.test.ts', 'test/*/test/**/*.test.ts'],
          exclude: ['**/*.cluster.test.ts', '**/node_modules/**'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/**/*.cluster.test.ts', 'packages/*/test/**/*.cluster.test.ts'],
          // The first one on a fresh machine builds Kubernetes from Go modules.
          testTimeout: 1_500_000,
          hookTimeout: 1_500_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
