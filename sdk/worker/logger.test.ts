// What the default logger writes of errors.

import { afterEach, expect, it, vi } from 'vitest';
import { DefaultLogger } from './logger.ts';

afterEach(() => void vi.restoreAllMocks());

function written(stack: string): string {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  new DefaultLogger().warn('Activity failed', { error: Object.assign(new Error('x'), { stack }) });
  return String(write.mock.calls[0]?.[0]);
}

const OURS =
  '    at ActivityExecution.execute (file:///app/node_modules/tenuto/dist/sdk/worker/activity-execution.js:80:32)';

it('leaves out the frames of the worker that ran the code', () => {
  const said = written(
    `Error: bank is down\n    at charge (/app/activities.js:7:26)\n${OURS}\n    at new Promise (<anonymous>)`,
  );
  expect(said).toContain('"error":"Error: bank is down\\n    at charge (/app/activities.js:7:26)"');
});

it('keeps them where there are no others', () => {
  expect(written(`Error: lost\n${OURS}`)).toContain('activity-execution.js:80:32');
});
