// server process + 1,000 watchers over N connections in C client processes
import { fork, spawn } from 'node:child_process';
import { writeFileSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
const { Client, Connection } = await import('./dist/sdk/client/index.js');
const { Worker, Runtime, DefaultLogger } = await import('./dist/sdk/worker/index.js');
const role = process.argv[2];
if (role === 'watch') {
  const [, , , address, connections, watchers] = process.argv;
  let left = +process.argv[5]; const out = []; let ready = 0;
  for (let c = 0; c < +connections; c++) {
    const client = new Client({ connection: await Connection.connect({ address }) });
    const h = client.workflow.getHandle('pub');
    for (let w = 0; w < +watchers / +connections; w++) void (async () => {
      let last;
      for await (const { value } of h.watchState({ keys: ['n'] })) { const now = Date.now(); if (last === undefined) { last = value.n; if (++ready === +watchers) process.send('ready'); } else { if (value.n !== last + 1) process.send('gap'); last = value.n; out.push(now - value.at); } if (value.n === 100) break; }
      if (--left === 0) { process.send(out); setTimeout(()=>process.exit(0),200); }
    })();
  }

} else {
  const conns = process.argv[3] ?? 1000, procs = +(process.argv[4] ?? 2);
  const server = spawn('node', ['dist/cli/tenuto.js', 'server', 'start-dev', '--port', '0', '--grpc-port','0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = ''; const address = await new Promise((r) => { const f=(d) => { text += d; const m = /127\.0\.0\.1:(\d+)/.exec(text); if (m) setTimeout(()=>r('127.0.0.1:' + m[1]),800); }; server.stdout.on('data', f); server.stderr.on('data', f); });
  console.log(address);
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const dir = mkdtempSync('/tmp/tuning-st-'); writeFileSync(join(dir, 'w.mjs'), `import * as wf from 'tenuto/workflow';
export async function pub() { let n = 0; wf.setHandler(wf.defineSignal('tick'), (at) => wf.setState('n', { n: ++n, at })); wf.setState('n', {n:0, at: 0}); await wf.condition(() => n >= 100); }`);
  const connection = await Connection.connect({ address });
  const client = new Client({ connection });
  const worker = await Worker.create({ connection: await Connection.connect({ address }), taskQueue: 'q', workflowsPath: join(dir, 'w.mjs') });
  const running = worker.run();
  const h = await client.workflow.start('pub', { workflowId: 'pub', taskQueue: 'q' });
  const kids = Array.from({ length: procs }, () => fork(process.argv[1], ['watch', address, String(conns / procs), String(1000 / procs)]));
  const results = kids.map((k) => new Promise((r) => k.on('message', (m) => { if (Array.isArray(m)) r(m); else if (m === 'gap') console.log('GAP'); })));
  await Promise.all(kids.map((k) => new Promise((r) => k.on('message', (m) => m === 'ready' && r()))));
  console.log('ready');
  for (let i = 0; i < 100; i++) { await h.signal('tick', Date.now()); await new Promise((r) => setTimeout(r, 100)); }
  const all = (await Promise.all(results)).flat().sort((a, b) => a - b);
  const q = (p) => all[Math.floor(all.length * p)];
  console.log({ conns, procs, n: all.length, p50: q(0.5), p90: q(0.9), p99: q(0.99), max: all.at(-1) });
  worker.shutdown(); await running; server.kill('SIGTERM'); setTimeout(() => process.exit(0), 300);
}
