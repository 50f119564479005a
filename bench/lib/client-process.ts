// One client process of the load generator: connects to the system it is told, runs one load after the other, and passes on what it notes of each
// operation. It makes no histogram: whatever it computes would show in the latency it measures.

import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises';
import type { FromClient, ToClient } from './clients.ts';
import { describeError } from './errors.ts';
import { answerInside } from './inside.ts';
import { closedLoop, type LoadClock, type Loop, openLoop } from './loops.ts';
import type { ClientModule, Driver } from './model.ts';
import { operationsOf } from './plan.ts';
import { Samples } from './samples.ts';

const PASS_ON_MS = 200;
/** Open operations of one client in an open loop. */
const MOST_OPEN = 100_000;

/** I7 is in the node's time. Clocks of two processes of one machine differ by no more than this over a sleep of seconds. */
const EARLY_MS = 5;

/** Epoch ms, so that clients and their parent speak of the same instants. */
const nowMs = (): number => performance.timeOrigin + performance.now();
const clock: LoadClock = {
  nowMs,
  sleepUntil: (atMs) => sleep(Math.max(1, Math.round(atMs - nowMs()))),
  breathe: () => breathe(),
};

let driver: Driver | undefined;
let loop: Loop | undefined;

const send = (message: FromClient): void => void process.send?.(message);

async function handle(message: ToClient): Promise<void> {
  switch (message.do) {
    case 'connect': {
      // Every module of a target is a `ClientModule`; `connect` fails if not.
      const module = (await import(message.target.module)) as ClientModule;
      driver = await module.connect(message.target.settings);
      send({ say: 'connected' });
      return;
    }
    case 'load':
      await run(message);
      return;
    case 'stop':
      loop?.stop();
      return;
    case 'end':
      await driver?.close();
      process.exit(0);
  }
}

async function run({ plan, shape, client, clients }: Extract<ToClient, { do: 'load' }>): Promise<void> {
  if (driver === undefined) throw new Error('a load came before a connection');
  const samples = new Samples();
  const operations = operationsOf(plan, driver, client);
  const operation = async (n: number, beganAtMs: number): Promise<void> => {
    await operations.run(n);
    const endedAtMs = nowMs();
    const dueAtMs = beganAtMs + operations.sleepsMs;
    if (endedAtMs < dueAtMs - EARLY_MS) throw new Error(`a timer fired ${(dueAtMs - endedAtMs).toFixed(1)} ms early`);
    samples.add(dueAtMs, endedAtMs);
  };
  switch (shape.kind) {
    case 'open': {
      const options = { perSecond: shape.perSecond / clients, phase: client / clients, atMost: MOST_OPEN };
      loop = openLoop(clock, options, operation);
      break;
    }
    case 'closed':
      loop = closedLoop(clock, shareOf(shape.concurrency, client, clients), operation);
      break;
  }
  const passOn = (): void => send({ say: 'samples', refused: operations.refused, ...samples.take() });
  const timer = setInterval(passOn, PASS_ON_MS);
  try {
    await loop.ended;
  } finally {
    clearInterval(timer);
  }
  passOn();
  send({ say: 'done', notBegun: loop.notBegun });
}

/** Of so many lanes; the first clients have one more when they do not divide. */
function shareOf(concurrency: number, client: number, clients: number): number {
  return Math.floor(concurrency / clients) + (client < concurrency % clients ? 1 : 0);
}

answerInside();
process.on('message', (message) => {
  // Those of `askInside` are for `answerInside`.
  if (typeof message !== 'object' || message === null || !('do' in message)) return;
  handle(message as ToClient).catch((error: unknown) => send({ say: 'failed', why: describeError(error) }));
});
process.on('disconnect', () => process.exit(0));
