import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const entries = [
  'client',
  'worker',
  'workflow',
  'activity',
  'nexus',
  'common',
  'testing',
  'opentelemetry',
  'external-storage',
];

export default defineConfig({
  resolve: {
    // Tests run on the sources; what spawns real processes runs the built `dist/` (test/support/build.ts makes it).
    alias: [
      ...entries.map((name) => ({ find: `tenuto/${name}`, replacement: here(`./sdk/${name}/index.ts`) })),
      { find: 'tenuto/server', replacement: here('./src/server.ts') },
    ],
  },
  test: {
    include: [
      'src/**/*.test.ts',
      'sdk/**/*.test.ts',
      'cluster/**/*.test.ts',
      'bench/**/*.test.ts',
      'examples/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    globalSetup: ['test/support/build.ts', 'test/support/postgres-run.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
    pool: 'forks',
    // Much of what takes long waits for real processes and clocks: more files than cores at a time.
    maxWorkers: 4,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
