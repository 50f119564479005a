// A job that is not there, in the reference server's words.

import { expect, it } from 'vitest';
import { type Status, StatusCode } from '../../../wire/status.ts';
import type { Caller } from '../../door.ts';
import type { RpcCall, RpcServices } from '../rpc.ts';
import { DescribeBatchOperation } from './batch.ts';

it('a job that is not there is a workflow that is not', () => {
  let refused: Status | undefined;
  const missing: Status = { code: StatusCode.NOT_FOUND, message: 'no job', detail: { kind: 'NotFound' } };
  const call = { refuse: (status: Status) => void (refused = status), waits: () => {}, atDeadline: () => {} };
  const services = {
    limits: { idBytes: 1_000 },
    namespaces: { get: () => ({}) },
    engine: new Proxy(
      {},
      {
        get:
          () =>
          (...given: unknown[]) =>
            (given.at(-1) as (error: Status) => void)(missing),
      },
    ),
  };
  // What the method asks of one.
  const caller = { mayUse: () => true } as unknown as Caller;
  const request = { namespace: 'default', jobId: 'nobody' };
  DescribeBatchOperation.run(services as unknown as RpcServices, caller, request, call as unknown as RpcCall);
  expect(refused).toMatchObject({ code: StatusCode.NOT_FOUND, message: 'workflow not found for ID: nobody' });
});
