// `npm run compat`: the official TypeScript SDK against this server. By default the tests of test/compat; with `--oracles DIR` also the recordings of a
// real server there (its compare.mjs), against a development server of ours. With `--languages` instead the official SDKs of other languages,
// with `--tools` the command line tools and the web UI, with `--against` a server of Temporal's beside this one.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { runBundled } from './bundled.mjs';
import { EnsureError, ensureBuilt, ensureInstalled, ensureNode, ROOT } from './ensure.mjs';

const HELP = `npm run compat [-- options]
  --oracles DIR   also compare with the recordings in DIR (histories), and in DIR/rpc (single calls)
  --only-oracles  leave the tests out
  --only NAME     one scenario or case; * stands for anything
  --languages [python] [go] [java]
                  instead of all that: workers and clients written with the official SDKs of these languages (all of them by default) against a
                  server that is killed under them. A language whose tools are not on this machine is skipped, and it is said what it needs
  --tools [temporal] [grpcurl] [http] [web-ui]
                  instead of all that: every command of the temporal CLI, grpcurl, the HTTP API, and the pages of Temporal's web UI in a headless
                  Chromium, with workers of both kinds. A tool that cannot be had on this machine is skipped, and it is said what it needs
  --at ADDRESS    with --tools: the temporal CLI alone, against the server there
  --against ADDRESS [METHOD ...]
                  instead of all that: requests that are right and requests that are a little wrong, of every method, to this server and to one of
                  Temporal's that is there; says where their answers are not the same. It takes some minutes, and leaves much behind in that server
  --sequences N   with --against: instead of single requests, so many random sequences of right calls, with a worker that does what they say; where the
                  two differ, the shortest sequence found that shows it
  --seed S        with --sequences: of the first one (1 by default); each has the next number`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    oracles: { type: 'string' },
    'only-oracles': { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    languages: { type: 'boolean', default: false },
    tools: { type: 'boolean', default: false },
    at: { type: 'string' },
    against: { type: 'string' },
    sequences: { type: 'string' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
if (positionals.length > 0 && !values.languages && !values.tools && values.against === undefined) {
  console.error(`'${positionals[0]}' is no option of this command.\n\n${HELP}`);
  process.exit(1);
}
try {
  ensureNode();
  ensureInstalled();
  ensureBuilt();
} catch (error) {
  if (!(error instanceof EnsureError)) throw error;
  console.error(error.message);
  process.exit(1);
}

if (values.languages) {
  process.argv = [process.argv[0], 'languages', ...positionals];
  await runBundled('test/languages/main.ts', 'languages', 'built');
}
if (values.tools) {
  process.argv = [process.argv[0], 'tools', ...(values.at === undefined ? positionals : ['--at', values.at])];
  await runBundled('test/tools/main.ts', 'tools', 'built');
}

if (values.against !== undefined && values.sequences !== undefined) {
  process.argv = [process.argv[0], 'sequences', values.against, values.sequences, values.seed];
  await runBundled('test/differential/sequences/main.ts', 'sequences', 'built');
  process.exit(0);
}
if (values.against !== undefined) {
  process.argv = [process.argv[0], 'differential', values.against, ...positionals];
  await runBundled('test/differential/main.ts', 'differential', 'built');
  process.exit(0);
}

// The long form of what the tests of every day do a little of.
const env = { TENUTO_COMPAT_CONNECTIONS: '10000', ...process.env };
const run = (args) => spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit', env }).status ?? 1;

let failed = 0;
if (!values['only-oracles']) failed ||= run([join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', 'test/compat']);
if (values.oracles !== undefined) failed ||= await compare(values.oracles);
process.exit(failed);

async function compare(oracles) {
  const server = spawn(
    process.execPath,
    [join(ROOT, 'dist/src/cli/main.js'), 'server', 'start-dev', '--port', '0', '--grpc-port', '0'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    const address = await addressOf(server);
    const wanted = pattern(values.only);
    const names = readdirSync(join(oracles, 'recorded')).map((file) => file.replace(/\.json$/, ''));
    // They take names; the calls take an expression.
    const chosen = wanted === undefined ? [] : names.filter((name) => wanted.test(name));
    const histories = [
      join(oracles, 'compare.mjs'),
      '--address',
      address,
      '--dir',
      join(oracles, 'recorded'),
      '--jobs',
      '4',
      // A newer server keeps them, as this one does: docs/decisions/0053-second-door-differs.md.
      '--ignore',
      '**.eventGroupMarkers',
    ];
    const calls = [
      join(oracles, 'rpc/compare.mjs'),
      '--address',
      address,
      '--recorded',
      join(oracles, 'rpc/recorded.json'),
    ];
    const isAny = wanted === undefined || chosen.length > 0;
    const first = isAny ? run([...histories, ...chosen.flatMap((name) => ['--only', name])]) : 0;
    return run([...calls, ...(wanted === undefined ? [] : ['--only', wanted.source])]) || first;
  } finally {
    server.kill('SIGTERM');
  }
}

/** Of names in which * stands for anything; undefined: of all. */
function pattern(names) {
  if (names.length === 0) return undefined;
  const parts = names.map((name) =>
    name
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*'),
  );
  return new RegExp(`^(?:${parts.join('|')})$`);
}

/** From the line it says when it is ready. */
async function addressOf(server) {
  for await (const line of createInterface({ input: server.stdout })) {
    const address = /gRPC on ([^,]+),/.exec(line)?.[1];
    if (address !== undefined) return address;
  }
  throw new Error('the server ended before it was ready');
}
