import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import LongFirst from './test/support/long-first.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const entries = [
  'client',
  'worker',
  'workflow',
  'activity',
  'nexus',
  'common',
  'testing',
  'envconfig',
  'opentelemetry',
  'external-storage',
];

const parts = ['common/encoding', 'common/protobufs', 'opentelemetry/workflow'];

/** Of the SDK, what has no worker's runtime in it. */
const PARTS_OF_SDK = ['client', 'common', 'connection', 'envconfig'].map((name) => `sdk/${name}`);

const tests = (...folders: string[]) => folders.map((folder) => `${folder}/**/*.test.ts`);

const resolve = {
  // Tests run on the sources; what spawns real processes runs the built `dist/` (test/support/build.ts makes it).
  alias: [
    ...entries.map((name) => ({ find: new RegExp(`^tenuto/${name}$`), replacement: here(`./sdk/${name}/index.ts`) })),
    ...parts.map((name) => ({ find: `tenuto/${name}`, replacement: here(`./sdk/${name}.ts`) })),
    { find: 'tenuto/server', replacement: here('./src/server.ts') },
  ],
};
// What `extends` would pass on is said here instead: a global setup that is passed on runs once for each project.
const test = {
  pool: 'forks' as const,
  // Much of what takes long waits for real processes and clocks: more files than cores at a time.
  maxWorkers: 4,
  // ms: when a test has hung, not how quick it has to be; the machine may be busy with others.
  testTimeout: 90_000,
  hookTimeout: 120_000,
  setupFiles: [here('./test/support/property-seed.ts')],
};

export default defineConfig({
  test: {
    globalSetup: ['test/support/build.ts', 'test/support/postgres-run.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
    maxWorkers: test.maxWorkers,
    sequence: { sequencer: LongFirst },
    projects: [
      // Tests of single parts change nothing that their process shares: modules are loaded once per process, not once per file.
      {
        resolve,
        test: { ...test, name: 'parts', include: tests('src', 'cluster', 'bench', ...PARTS_OF_SDK), isolate: false },
      },
      // A worker's runtime is one per process, and so is the virtual time of a simulator: each of these files has its own.
      {
        resolve,
        test: {
          ...test,
          name: 'whole',
          include: tests('sdk', 'examples', 'test'),
          exclude: [...configDefaults.exclude, ...tests(...PARTS_OF_SDK)],
        },
      },
    ],
  },
});
