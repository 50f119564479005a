// A connection to a fake server over virtual time.

import { Connection } from './connection.ts';
import { FakeServer, VirtualScheduler } from './fake-server.test-support.ts';
import type { ConnectionOptions } from './options.ts';

export function setUp(options: ConnectionOptions = {}) {
  const server = new FakeServer();
  const scheduler = new VirtualScheduler();
  const connection = Connection.fromTransport(server.connect, { identity: 'me', scheduler, ...options });
  return { server, scheduler, connection };
}

export const describeNamespace = (connection: Connection, namespace = 'a') =>
  connection.request('describeNamespace', { namespace });

/** A rejection that the test looks at later. */
export function caught(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (err: unknown) => err,
  );
}
