// Flow control from outside: the example, the command line, and starts that are refused.

import { beforeAll, describe, expect, it } from 'vitest';
import { run as runExample } from '../../examples/flow-control/main.ts';
import { Client, Connection, WorkflowExecutionAlreadyStartedError } from '../../sdk/client/index.ts';
import { RpcError, StatusCode } from '../../sdk/connection/rpc-error.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { type Finished, type ServerProcess, startServer, tenuto } from '../support/processes.ts';

const atFileEnd = undoneAtFileEnd();

let node: ServerProcess;
let client: Client;
beforeAll(async () => {
  node = await startServer(['start-dev', '--port', '0'], { atEnd: atFileEnd });
  const connection = await Connection.connect({ address: node.address });
  atFileEnd(() => connection.close());
  client = new Client({ connection });
});

const cli = (...args: string[]): Promise<Finished> => tenuto(args, { env: { TENUTO_ADDRESS: node.address } });

async function json<T>(finished: Promise<Finished>): Promise<T> {
  const { code, stdout, stderr } = await finished;
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as T;
}

it('the example does what it says', { timeout: 60_000 }, async () => {
  expect(await runExample()).toEqual({
    waiting: ['held', 'held', 1, 2],
    imported: ['acme', 'acme', 'acme', 'acme'],
    rebuilt: [10],
    ...{ refused: true, same: 'sync-first', ended: 'terminated', newest: 'fourth' },
    together: 3,
    sections: ['a', 'b'],
  });
});

describe('the command line', { timeout: 60_000 }, () => {
  it('starts by key, lists and describes keys, and sets their limits', async () => {
    const start = (id: string) =>
      cli(
        ...['workflow', 'start', '--type', 'nothing', '-t', 'nobody', '-w', id, '-o', 'json'],
        ...['--flow-key', 'cli', '--flow-concurrency', '1', '--flow-throttle', '50/1m'],
      );
    await json(start('one'));
    await json(start('two'));
    const key = ['-k', 'cli', '-o', 'json'];
    expect(await json(cli('flow-control', 'describe', ...key))).toMatchObject({
      ...{ key: 'cli', scope: 'namespace', held: 1, waiting: 1 },
      limits: { concurrency: { limit: 1 }, throttle: { limit: 50, periodMs: 60_000 } },
      holders: [{ workflowId: 'one' }],
      waiters: [{ workflowId: 'two' }],
    });
    const { stdout } = await cli('workflow', 'describe', '-w', 'two');
    expect(stdout).toContain('queued: key cli, 1. in the queue');
    expect(await json(cli('flow-control', 'set-limit', ...key, '--concurrency', '2'))).toMatchObject({
      ...{ held: 2, waiting: 0, setLimits: { concurrency: { limit: 2 } } },
    });
    expect(await json(cli('flow-control', 'list', '-o', 'json'))).toMatchObject([
      { key: 'cli', scope: 'namespace', limits: '2 at a time, 50 within 60000 ms', setByHand: '2 at a time', held: 2 },
    ]);
    expect(await json(cli('flow-control', 'set-limit', ...key, '--clear'))).not.toHaveProperty('setLimits');
    const table = await cli('flow-control', 'describe', '-k', 'cli');
    expect(table.stdout).toContain('Have a permit: 2');
  });

  it('says what is missing', async () => {
    const { code, stderr } = await cli('flow-control', 'set-limit', '-k', 'cli');
    expect(code).toBe(2);
    expect(stderr).toContain('--concurrency, --throttle, or --clear');
    const start = await cli('workflow', 'start', '--type', 'x', '-t', 'y', '--flow-concurrency', '1');
    expect(start.stderr).toContain('name it with --flow-key');
  });
});

describe('a start that wants to be refused', { timeout: 60_000 }, () => {
  const options = (workflowId: string, flowControl: object) => ({
    ...{ workflowId, taskQueue: 'nobody' },
    flowControl: { key: 'refusing', ...flowControl },
  });

  it('fails at once where the key is full, and leaves nothing', async () => {
    const full = { concurrency: { limit: 1 }, whenFull: 'reject' };
    const first = await client.workflow.start('nothing', options('a', full));
    const refusal = await client.workflow.start('nothing', options('b', full)).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ name: 'ServiceError', cause: { code: StatusCode.RESOURCE_EXHAUSTED } });
    expect((refusal as Error).message).toContain('flow-control key "refusing" is full: 1 of 1 run');
    await expect(client.workflow.getHandle('b').describe()).rejects.toThrow(/not found/i);
    await first.terminate();
    await expect
      .poll(() =>
        client.workflow.start('nothing', options('b', full)).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    await client.workflow.getHandle('b').terminate();
  });

  it('meets a singleton, which it is told of', async () => {
    await client.workflow.start('nothing', {
      ...options('s', { singleton: 'reject' }),
      flowControl: { key: 's', singleton: 'reject' },
    });
    const again = { ...options('t', {}), flowControl: { key: 's', singleton: 'reject' as const } };
    const refusal = await client.workflow.start('nothing', again).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(WorkflowExecutionAlreadyStartedError);
    expect((refusal as Error).message).toContain('workflow s');
    // What has the permit already is met by its id's policies.
    const same = { ...again, workflowId: 's', workflowIdConflictPolicy: 'USE_EXISTING' as const };
    expect((await client.workflow.start('nothing', same)).workflowId).toBe('s');
    const signaled = await client.workflow.signalWithStart('nothing', {
      ...same,
      signal: 'go',
      workflowIdConflictPolicy: undefined,
    });
    expect(signaled.workflowId).toBe('s');
  });

  it('is told of options that cannot be meant', async () => {
    const wrong = async (flowControl: object): Promise<string> => {
      const error = await client.workflow.start('nothing', options('w', flowControl)).catch((err: unknown) => err);
      const { cause } = error as { cause?: unknown };
      expect(cause).toBeInstanceOf(RpcError);
      return (cause as RpcError).details;
    };
    expect(await wrong({})).toContain('names no limit');
    expect(await wrong({ concurrency: { limit: 0 } })).toContain('from 1 to 100000');
    expect(await wrong({ singleton: 'perhaps' })).toContain('reject, useExisting');
    expect(await wrong({ concurrency: { limit: 1 }, singleton: 'reject' })).toContain('a concurrency of one');
    expect(await wrong({ debounce: { quiet: 100 }, whenFull: 'reject' })).toContain('quiet period');
    expect(await wrong({ key: 'x'.repeat(300), concurrency: { limit: 1 } })).toContain('longer than 256 bytes');
  });
});
