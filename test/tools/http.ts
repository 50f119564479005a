// The HTTP/JSON API, as a script with no library at all calls it.

import type { Outcome } from '../languages/program.ts';

export async function checkHttp(base: string, taskQueue: string, say: (line: string) => void): Promise<Outcome> {
  let passed = 0;
  let failed = 0;
  const of = `${base}/api/v1/namespaces/default`;
  const call = async (
    method: string,
    path: string,
    body: object | undefined,
    status: number,
    says: string,
  ): Promise<void> => {
    const answer = await fetch(path.startsWith('/api') ? base + path : of + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (answer.status === status && text.includes(says)) passed += 1;
    else {
      failed += 1;
      say(`FAILED  ${method} ${path}: ${answer.status}, not ${status} with '${says}'\n${text.slice(0, 1_000)}`);
    }
  };
  const counter = '/workflows/by-http';
  await call('GET', '/api/v1/system-info', undefined, 200, 'serverVersion');
  await call('GET', '/api/v1/cluster-info', undefined, 200, 'clusterName');
  await call('GET', '/api/v1/namespaces', undefined, 200, '"default"');
  await call('POST', counter, { workflowType: { name: 'counter' }, taskQueue: { name: taskQueue } }, 200, 'runId');
  await call('POST', `${counter}/signal/add`, { input: [5] }, 200, '{');
  await call('POST', `${counter}/query/sum`, {}, 200, '5');
  await call(
    'POST',
    `${counter}/update/addUpdate`,
    { request: { meta: { updateId: 'three' }, input: { args: [3] } }, waitPolicy: { lifecycleStage: 3 } },
    200,
    '8',
  );
  await call('GET', `${counter}`, undefined, 200, 'WORKFLOW_EXECUTION_STATUS_RUNNING');
  await call('GET', `${counter}/history`, undefined, 200, 'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED');
  await call('GET', `/workflows?query=${encodeURIComponent('WorkflowId = "by-http"')}`, undefined, 200, 'by-http');
  await call('GET', `/workflow-count?query=${encodeURIComponent('WorkflowId = "by-http"')}`, undefined, 200, '"1"');
  await call('POST', `${counter}/terminate`, { reason: 'enough' }, 200, '{');
  await call('GET', '/workflows/nobody', undefined, 404, '"code":5');
  await call('GET', '/schedules', undefined, 200, '{');
  await call('GET', `/task-queues/${taskQueue}`, undefined, 200, 'pollers');
  await call('GET', '/nothing-of-this-name', undefined, 404, '');
  say(`${passed} calls are as they have to be`);
  return { passed, failed };
}
