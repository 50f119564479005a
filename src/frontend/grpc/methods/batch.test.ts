// A job that is not there, in the reference server's words.

import { expect, it } from 'vitest';
import { StatusCode } from '../../../wire/status.ts';
import { DescribeBatchOperation } from './batch.ts';
import { called } from './calling.test-support.ts';

it('a job that is not there is a workflow that is not', () => {
  const { refused } = called(
    DescribeBatchOperation,
    { jobId: 'nobody' },
    {
      jobs: (_namespace, _asked, done) =>
        done({ code: StatusCode.NOT_FOUND, message: 'no job', detail: { kind: 'NotFound' } }, undefined),
    },
  );
  expect(refused).toMatchObject({ code: StatusCode.NOT_FOUND, message: 'workflow not found for ID: nobody' });
});
