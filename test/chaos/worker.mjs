// The worker process of the chaos tests, on the built package: `worker.mjs --address HOST:PORT --bundle FILE --journal FILE`.
// Each execution of an activity is a line of the journal, so that a test can count what really ran.
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ApplicationFailure, Context } from 'tenuto/activity';
import { NativeConnection, Worker } from 'tenuto/worker';

const { values } = parseArgs({
  options: { address: { type: 'string' }, bundle: { type: 'string' }, journal: { type: 'string' } },
});

function begin() {
  const { info } = Context.current();
  appendFileSync(
    values.journal,
    `${info.activityType} ${info.workflowExecution.runId}/${info.activityId} ${info.attempt}\n`,
  );
  return info;
}

const activities = {
  async retried() {
    const { attempt } = begin();
    if (attempt < 2) throw ApplicationFailure.retryable('not at the first attempt');
    return 2;
  },
  async beaten() {
    const { heartbeatDetails } = begin();
    if (heartbeatDetails !== undefined) return heartbeatDetails;
    Context.current().heartbeat(3);
    throw ApplicationFailure.retryable('the details must survive this');
  },
  async once() {
    begin();
    return 'done';
  },
  async local(where) {
    begin();
    return `local ${where}`;
  },
  async greet(whom) {
    begin();
    return `Hello, ${whom}!`;
  },
};

async function connect() {
  for (;;) {
    try {
      return await NativeConnection.connect({ address: values.address, connectTimeout: 1_000 });
    } catch {
      await sleep(50);
    }
  }
}

const worker = await Worker.create({
  connection: await connect(),
  taskQueue: 'chaos',
  workflowBundle: { codePath: values.bundle },
  activities,
  // A killed worker's successor must not wait long for what it held.
  stickyQueueScheduleToStartTimeout: 1_000,
});
process.stdout.write('ready\n');
await worker.run();
