// The HTTP/JSON API of a node as curl and web pages meet it: the same calls as through gRPC, who may call, and what is refused.

import { request as httpRequest } from 'node:http';
import { Server } from 'tenuto/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let server: Server;
let closed: Server;
beforeAll(async () => {
  const options = { port: 0, grpcPort: 0, logLevel: 'error' } as const;
  server = await Server.create({ ...options, allowedHosts: ['ui.example'] });
  closed = await Server.create({ ...options, namespaces: [{ name: 'default', tokens: ['secret-token-of-default'] }] });
});
afterAll(async () => {
  await server?.close();
  await closed?.close();
});

interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

async function call(verb: string, path: string, body?: unknown, more: RequestInit = {}, at = server): Promise<Answer> {
  const init = {
    method: verb,
    ...more,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  };
  const response = await fetch(`http://${at.address}${path}`, init);
  const text = await response.text();
  // Ours, whatever it is.
  return {
    status: response.status,
    headers: response.headers,
    body: text.startsWith('{') ? JSON.parse(text) : { text },
  };
}

const WORKFLOWS = '/api/v1/namespaces/default/workflows';
const start = (id: string, over: object = {}) =>
  call('POST', `${WORKFLOWS}/${encodeURIComponent(id)}`, {
    workflowType: { name: 'order' },
    taskQueue: { name: 'http' },
    ...over,
  });

describe('a workflow', () => {
  it('is started, signalled, shown and ended', async () => {
    const started = await start('shop/1', { input: ['book', 2, null], memo: { fields: { by: 'curl' } } });
    expect(started).toMatchObject({
      status: 200,
      body: { started: true, status: 'WORKFLOW_EXECUTION_STATUS_RUNNING' },
    });
    expect(await call('POST', `${WORKFLOWS}/shop%2F1/signal/add`, { input: [{ title: 'x' }] })).toMatchObject({
      status: 200,
      body: {},
    });
    const history = await call('GET', `${WORKFLOWS}/shop%2F1/history`);
    expect(history.body).toMatchObject({
      history: {
        events: [
          {
            eventId: '1',
            workflowExecutionStartedEventAttributes: { input: ['book', 2, null], memo: { fields: { by: 'curl' } } },
          },
          { eventType: 'EVENT_TYPE_WORKFLOW_TASK_SCHEDULED' },
          { workflowExecutionSignaledEventAttributes: { signalName: 'add', input: [{ title: 'x' }] } },
        ],
      },
    });
    expect((await call('POST', `${WORKFLOWS}/shop%2F1/terminate`, { reason: 'done' })).status).toBe(200);
    expect(await call('GET', `/namespaces/default/workflows/shop%2F1`)).toMatchObject({
      body: { workflowExecutionInfo: { status: 'WORKFLOW_EXECUTION_STATUS_TERMINATED' } },
    });
  });

  it('is listed and counted by a query', async () => {
    await start('listed');
    const query = encodeURIComponent("WorkflowId = 'listed'");
    const listed = await call('GET', `${WORKFLOWS}?query=${query}&pageSize=5`);
    expect(listed.body).toMatchObject({ executions: [{ execution: { workflowId: 'listed' } }] });
    expect((await call('GET', `/api/v1/namespaces/default/workflow-count?query=${query}`)).body).toEqual({
      count: '1',
    });
  });

  it('is shown as it is asked for', async () => {
    await start('styled', { input: [1] });
    const accept = { headers: { accept: 'application/json+no-payload-shorthand' } };
    const long = await call('GET', `${WORKFLOWS}/styled/history`, undefined, accept);
    expect(JSON.stringify(long.body)).toContain(
      '"input":{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"MQ=="}]}',
    );
    const pretty = await fetch(`http://${server.address}/api/v1/system-info?pretty`);
    expect(await pretty.text()).toMatch(/^\{\n {2}"serverVersion"/);
  });
});

describe('what is refused', () => {
  it.each([
    ['GET', `${WORKFLOWS}/nobody`, undefined, 404, 5],
    ['POST', `${WORKFLOWS}/x`, { workflowTyp: 1 }, 400, 3],
    ['POST', `${WORKFLOWS}/x`, '{"a', 400, 3],
    ['POST', `${WORKFLOWS}/x`, '[]', 400, 3],
    ['GET', '/api/v1/nothing', undefined, 404, 5],
    ['DELETE', WORKFLOWS, undefined, 501, 12],
    ['GET', `${WORKFLOWS}?query=${encodeURIComponent('x ===')}`, undefined, 400, 3],
    ['GET', `${WORKFLOWS}?pageSize=many`, undefined, 400, 3],
    ['GET', `/api/v1/namespaces/other/workflows`, undefined, 404, 5],
  ])('%s %s', async (verb, path, body, status, code) => {
    expect(await call(verb, path, body)).toMatchObject({ status, body: { code, message: expect.any(String) } });
  });

  it('says with details what clients look for', async () => {
    await start('twice', { requestId: 'a' });
    const again = await start('twice', { requestId: 'b' });
    expect(again).toMatchObject({
      status: 409,
      body: {
        code: 6,
        details: [{ '@type': expect.stringContaining('WorkflowExecutionAlreadyStartedFailure'), startRequestId: 'a' }],
      },
    });
  });

  it('a body of more than 4 MiB', async () => {
    const large = 'x'.repeat(5 * 1024 * 1024);
    expect(await call('POST', `${WORKFLOWS}/large`, { input: [large] })).toMatchObject({
      status: 429,
      body: { code: 8 },
    });
  });

  it('paths that are none', async () => {
    for (const path of [
      '//',
      '/%',
      '/api/v1/namespaces/%E0%A4%A/workflows',
      '/api/v1/__proto__',
      `/${'a/'.repeat(2_000)}`,
    ]) {
      expect(await raw(path)).toBe(404);
    }
  });

  it('who has no token, and a token of something else', async () => {
    const as = (authorization: string | undefined) =>
      call('GET', WORKFLOWS, undefined, authorization === undefined ? {} : { headers: { authorization } }, closed);
    expect(await as(undefined)).toMatchObject({ status: 401, body: { code: 16 } });
    expect(await as('Bearer wrong')).toMatchObject({ status: 403, body: { code: 7 } });
    expect((await as('Bearer secret-token-of-default')).status).toBe(200);
  });

  it('a page of another origin, unless its host is allowed', async () => {
    const from = (origin: string, more = {}) => call('GET', WORKFLOWS, undefined, { headers: { origin, ...more } });
    expect((await from('http://evil.example')).status).toBe(403);
    const allowed = await from('http://ui.example');
    expect(allowed.status).toBe(200);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('http://ui.example');
    const asked = await call('OPTIONS', `${WORKFLOWS}/x`, undefined, {
      headers: { origin: 'http://ui.example', 'access-control-request-method': 'POST' },
    });
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-headers')).toContain('authorization');
  });
});

/** As it stands, without what fetch makes of a path. */
const raw = (path: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const [host, port] = String(server.address).split(':');
    const sent = httpRequest({ host, port, path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
    sent.end();
  });
