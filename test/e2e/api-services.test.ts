// Temporal's services in their own messages over the native connection: the same objects in and out as from `@temporalio/client`, whose own connection
// to the gRPC door of the same server is asked beside it. And metadata: a token for single calls.
import { Connection as TemporalConnection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../sdk/client/index.ts';
import { Connection, RpcError, StatusCode } from '../../sdk/connection/index.ts';
import { Server } from '../../src/server.ts';

let server: Server;
let native: Connection;
let official: TemporalConnection;

beforeAll(async () => {
  server = await Server.create({ port: 0, grpcPort: 0, logLevel: 'error' });
  native = await Connection.connect({ address: server.address ?? '' });
  official = await TemporalConnection.connect({ address: server.grpcAddress ?? '' });
});
afterAll(async () => {
  await native?.close();
  await official?.close();
  await server?.close();
});

/** What a call gives, or how it fails, with what a gRPC error has. */
async function outcome(call: Promise<object>): Promise<unknown> {
  try {
    return { response: JSON.parse(JSON.stringify(await call)) };
  } catch (error) {
    const { code, details, message, metadata } = error as RpcError;
    const [status] = metadata.get('grpc-status-details-bin');
    return { code, details, message, status: status && Buffer.from(status).toString('hex') };
  }
}

const namespace = 'default';

it.each<[string, (service: TemporalConnection['workflowService']) => Promise<object>]>([
  ['getSystemInfo', (service) => service.getSystemInfo({})],
  ['getClusterInfo', (service) => service.getClusterInfo({})],
  ['describeNamespace', (service) => service.describeNamespace({ namespace })],
  ['describeNamespace of none', (service) => service.describeNamespace({ namespace: 'none' })],
  ['listNamespaces', (service) => service.listNamespaces({ pageSize: 10 })],
  [
    'describeTaskQueue',
    (service) => service.describeTaskQueue({ namespace, taskQueue: { name: 'q' }, taskQueueType: 1 }),
  ],
  ['listWorkflowExecutions', (service) => service.listWorkflowExecutions({ namespace, query: 'WorkflowType = ' })],
  ['getSearchAttributes', (service) => service.getSearchAttributes({})],
  [
    'describeWorkflowExecution of none',
    (service) => service.describeWorkflowExecution({ namespace, execution: { workflowId: 'none' } }),
  ],
  ['startNexusOperationExecution', (service) => service.startNexusOperationExecution({ namespace })],
  ['describeBatchOperation of none', (service) => service.describeBatchOperation({ namespace, jobId: 'none' })],
])('%s is answered as at the gRPC door', async (_name, call) => {
  const expected = await outcome(call(official.workflowService));
  expect(await outcome(call(native.workflowService))).toEqual(expected);
});

it('takes and gives objects of protobufjs: durations, Longs, payloads', async () => {
  const { workflowService } = native;
  await workflowService.registerNamespace({
    namespace: 'shaped',
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const { config } = await workflowService.describeNamespace({ namespace: 'shaped' });
  expect(config?.workflowExecutionRetentionTtl?.seconds?.toNumber()).toBe(86_400);
  const data = Buffer.from('"hello"');
  const started = {
    ...{ namespace: 'shaped', workflowId: 'w', workflowType: { name: 'nothing' }, taskQueue: { name: 'nobody' } },
    input: { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data }] },
  };
  const { runId } = await workflowService.startWorkflowExecution(started);
  const { history } = await workflowService.getWorkflowExecutionHistory({
    namespace: 'shaped',
    execution: { workflowId: 'w', runId },
  });
  const [first] = history?.events ?? [];
  expect(first?.eventId?.toNumber()).toBe(1);
  expect(Buffer.from(first?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data ?? [])).toEqual(data);
  // The other clients of the connection see the same.
  const { runId: seen } = await new Client({ connection: native, namespace: 'shaped' }).workflow
    .getHandle('w')
    .describe();
  expect(seen).toBe(runId);
});

it('has the operator, health and test services', async () => {
  await native.operatorService.addSearchAttributes({ namespace, searchAttributes: { Colour: 2 } });
  const { customAttributes } = await native.operatorService.listSearchAttributes({ namespace });
  expect(customAttributes?.Colour).toBe(2);
  expect((await native.healthService.check({})).status).toBe(1);
  await expect(native.healthService.check({ service: 'none' })).rejects.toMatchObject({ code: StatusCode.NOT_FOUND });
  await expect(native.testService.getCurrentTime({})).rejects.toMatchObject({ code: StatusCode.UNIMPLEMENTED });
});

it('is no promise, and says which method there is not', async () => {
  const service = await Promise.resolve(native.workflowService);
  expect(service).toBe(native.workflowService);
  const { nothing } = native.workflowService as unknown as { nothing(): Promise<void> };
  await expect(nothing()).rejects.toThrow(/WorkflowService has no method Nothing/);
});

it('waits as long as the method does, and ends at the deadline or when it is given up', async () => {
  await new Client({ connection: native }).workflow.start('nothing', { workflowId: 'waits', taskQueue: 'nobody' });
  const request = { namespace, execution: { workflowId: 'waits' }, waitNewEvent: true, historyEventFilterType: 2 };
  const wait = () => native.workflowService.getWorkflowExecutionHistory(request);
  const givenUp = new AbortController();
  const waited = native.withAbortSignal(givenUp.signal, wait);
  givenUp.abort();
  await expect(waited).rejects.toMatchObject({ code: StatusCode.CANCELLED });
  // Shortly before its deadline it is answered with what there is.
  const { history } = await native.withDeadline(Date.now() + 400, wait);
  expect(history?.events ?? []).toEqual([]);
});

describe('where tokens are asked for', () => {
  let guarded: Server;
  const connections: Connection[] = [];
  const connect = async (options: object): Promise<Connection> => {
    const connection = await Connection.connect({ address: guarded.address ?? '', ...options });
    connections.push(connection);
    return connection;
  };

  beforeAll(async () => {
    guarded = await Server.create({
      port: 0,
      logLevel: 'error',
      namespaces: [
        { name: 'a', tokens: ['token-of-a', 'token-of-a-anew'] },
        { name: 'b', tokens: ['token-of-b'] },
      ],
    });
  });
  afterAll(async () => {
    for (const connection of connections) await connection.close();
    await guarded?.close();
  });

  const count = (connection: Connection, name: string) =>
    new Client({ connection, namespace: name }).workflow.count().then(({ count }) => count);
  const raw = (connection: Connection, name: string) =>
    connection.workflowService.countWorkflowExecutions({ namespace: name });
  const DENIED = { code: StatusCode.PERMISSION_DENIED };

  it('a call may have a token of its own', async () => {
    const connection = await connect({ apiKey: 'token-of-a' });
    expect(await count(connection, 'a')).toBe(0);
    await expect(raw(connection, 'b')).rejects.toMatchObject(DENIED);
    await expect(count(connection, 'b')).rejects.toMatchObject({ cause: DENIED });
    await connection.withApiKey('token-of-b', async () => {
      expect(await count(connection, 'b')).toBe(0);
      await raw(connection, 'b');
      await expect(raw(connection, 'a')).rejects.toMatchObject(DENIED);
      // What is inside adds to what is around it.
      await connection.withMetadata({ other: 'x' }, () => raw(connection, 'b'));
    });
    await connection.withMetadata({ Authorization: 'Bearer token-of-b' }, () => raw(connection, 'b'));
    await expect(connection.withApiKey('wrong', () => raw(connection, 'a'))).rejects.toMatchObject({
      code: StatusCode.UNAUTHENTICATED,
    });
    await raw(connection, 'a');
  });

  it('the token of a connection may change, and be asked for each time', async () => {
    let token = 'token-of-a';
    const connection = await connect({ apiKey: () => token });
    await raw(connection, 'a');
    token = 'token-of-b';
    await raw(connection, 'b');
    connection.setApiKey('token-of-a-anew');
    await raw(connection, 'a');
    await expect(raw(connection, 'b')).rejects.toMatchObject(DENIED);
    expect(() => connection.setApiKey('')).toThrow(TypeError);
  });

  it('metadata of a connection goes with each request, and may be the token', async () => {
    const connection = await connect({ metadata: { authorization: 'Bearer token-of-a' } });
    await raw(connection, 'a');
    connection.setMetadata({ authorization: 'Bearer token-of-b' });
    await raw(connection, 'b');
    await expect(raw(connection, 'a')).rejects.toMatchObject(DENIED);
  });

  it('a server that knows no metadata is not asked with the wrong token', async () => {
    const connection = await connect({ apiKey: 'token-of-a', capabilities: ['ahead'] });
    const call = connection.withApiKey('token-of-b', () => count(connection, 'a'));
    await expect(call).rejects.toMatchObject({ cause: { code: StatusCode.UNIMPLEMENTED } });
  });
});

it('says what to do instead of options of gRPC', () => {
  const lazy = (options: object) => () => Connection.lazy(options);
  expect(lazy({ credentials: {} })).toThrow(/credentials is an option of gRPC.*set `tls`/);
  expect(lazy({ interceptors: [() => {}] })).toThrow(/interceptors of the client/);
  expect(lazy({ interceptors: [] })).not.toThrow();
  expect(lazy({ apiKey: 'x', metadata: { Authorization: 'Bearer y' } })).toThrow(/not together/);
  expect(lazy({ metadata: { count: 1 } })).toThrow(/metadata count must be a string/);
});

it('plugins change how a connection is made', () => {
  const plugin = { name: 'p', configureConnection: (options: object) => ({ ...options, identity: 'changed' }) };
  const connection = Connection.lazy({ plugins: [plugin] });
  expect([connection.identity, connection.plugins]).toEqual(['changed', [plugin]]);
});

it('RpcErrors of other calls have no details', () => {
  expect(new RpcError(StatusCode.NOT_FOUND, 'no').metadata.get('grpc-status-details-bin')).toEqual([]);
});
