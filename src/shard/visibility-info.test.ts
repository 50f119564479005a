import { describe, expect, it } from 'vitest';
import { WorkflowExecutionStatus } from '../wire/enums.ts';
import type { WorkflowExecutionInfo } from '../wire/execution-info.ts';
import { decodeInfo, infoKey, visibilityRows } from './visibility.ts';

const at = { namespace: 'default', shard: 0 };
const info: WorkflowExecutionInfo = {
  ...{ workflowId: 'w', runId: 'r', workflowType: 't', taskQueue: 'q', startTime: 5, executionTime: 5 },
  ...{ status: WorkflowExecutionStatus.RUNNING, historyLength: 1, historySizeBytes: 1, firstRunId: 'r' },
  ...{ rootWorkflowId: 'w', rootRunId: 'r', stateTransitionCount: 1 },
};

function written(shown: WorkflowExecutionInfo): Uint8Array {
  let bytes: Uint8Array | undefined;
  const row = infoKey({ ...at, workflowId: 'w' }, 5, 'r');
  visibilityRows(at, { info: shown, before: undefined, previous: undefined }, (k, value) => {
    if (k === row) bytes = value;
  });
  if (bytes === undefined) throw new Error('no info was written');
  return bytes;
}

describe('the row of an execution', () => {
  it('keeps a priority, and costs those without one nothing', () => {
    const priority = { priorityKey: 2, fairnessKey: 'tenant', fairnessWeight: 1.5 };
    expect(decodeInfo(written({ ...info, priority }))).toEqual({ ...decodeInfo(written(info)), priority });
    expect(decodeInfo(written(info))).not.toHaveProperty('priority');
    // An array of 17, as before there were priorities.
    expect([...written(info).subarray(0, 3)]).toEqual([0xdc, 0, 17]);
  });
});
