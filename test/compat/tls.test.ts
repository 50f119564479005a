// The gRPC door and the HTTP API with TLS: by a certificate, by one that clients show too, and by tokens; and what reflection tells over the wire.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, Metadata, status } from '@grpc/grpc-js';
import { Client, Connection } from '@temporalio/client';
import { Server } from 'tenuto/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeAuthority } from '../support/certificate.ts';
import { field, RawClient } from './raw.ts';

const authority = makeAuthority();
const stranger = makeAuthority();
const own = authority.issue('localhost');
const friend = authority.issue('client');
const foe = stranger.issue('client');
const TOKEN = 'token-of-default';

let folder = '';
let server: Server;
let mutual: Server;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tenuto-tls-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const tls = { certFile: file('cert.pem', own.certificate), keyFile: file('key.pem', own.privateKey) };
  const common = { port: 0, grpcPort: 0, logLevel: 'error' } as const;
  server = await Server.create({ ...common, tls, namespaces: [{ name: 'default', tokens: [TOKEN] }] });
  mutual = await Server.create({ ...common, tls: { ...tls, clientCaFile: file('ca.pem', authority.certificate) } });
});
afterAll(async () => {
  await server?.close();
  await mutual?.close();
  rmSync(folder, { recursive: true, force: true });
});

const portOf = (address: string | undefined): string => `localhost:${address?.split(':').pop()}`;
const ca = Buffer.from(authority.certificate);

/** gRPC's status of one call. */
async function answerOf(of: Server, how = credentials.createSsl(ca), metadata = new Metadata()): Promise<number> {
  const client = new RawClient(portOf(of.grpcAddress), how);
  const { code } = await client.call('GetSystemInfo', Buffer.alloc(0), { timeoutMs: 5_000, metadata });
  client.close();
  return code;
}

const bearer = (token: string): Metadata => {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
};

describe('a door with a certificate and tokens', () => {
  it('is met by the official client, with the token as its API key', async () => {
    const connection = await Connection.connect({
      address: portOf(server.grpcAddress),
      tls: { serverRootCACertificate: ca },
      apiKey: TOKEN,
    });
    expect((await new Client({ connection }).workflow.count()).count).toBe(0);
    await connection.close();
  });

  it.each([
    ['with the token', credentials.createSsl(ca), bearer(TOKEN), status.OK],
    ['without', credentials.createSsl(ca), new Metadata(), status.UNAUTHENTICATED],
    ['with another', credentials.createSsl(ca), bearer('guess'), status.PERMISSION_DENIED],
    ['in plain text', credentials.createInsecure(), bearer(TOKEN), status.UNAVAILABLE],
    [
      'trusting somebody else',
      credentials.createSsl(Buffer.from(stranger.certificate)),
      bearer(TOKEN),
      status.UNAVAILABLE,
    ],
  ])('answers a call %s', async (_, how, metadata, code) => {
    expect(await answerOf(server, how, metadata)).toBe(code);
  });
});

describe('a door that asks clients for a certificate', () => {
  const shows = ({ certificate, privateKey }: typeof friend) =>
    credentials.createSsl(ca, Buffer.from(privateKey), Buffer.from(certificate));

  it.each([
    ['of its authority', shows(friend), status.OK],
    ['of another', shows(foe), status.UNAVAILABLE],
    ['none', credentials.createSsl(ca), status.UNAVAILABLE],
  ])('%s', async (_, how, code) => {
    expect(await answerOf(mutual, how)).toBe(code);
  });

  it('asks at its HTTP port, too', async () => {
    const path = `https://${portOf(mutual.address)}/api/v1/system-info`;
    const statusOf = (more: object): Promise<number | string> =>
      new Promise((resolve) => {
        get(path, { ca, ...more }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        }).on('error', () => resolve('refused'));
      });
    expect(await statusOf({ cert: friend.certificate, key: friend.privateKey })).toBe(200);
    expect(await statusOf({ cert: foe.certificate, key: foe.privateKey })).toBe('refused');
    expect(await statusOf({})).toBe('refused');
  });
});

it.each(['v1', 'v1alpha'])('reflection %s tells what there is, in one stream', async (version) => {
  const client = new RawClient(portOf(server.grpcAddress), credentials.createSsl(ca));
  const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
  const [list, file, none] = await client.ask(path, [
    field(7, '*'),
    field(4, 'temporal.api.workflowservice.v1.WorkflowService'),
    field(4, 'acme.Nothing'),
  ]);
  expect(list?.toString()).toContain('temporal.api.operatorservice.v1.OperatorService');
  expect(file?.toString()).toContain('StartWorkflowExecutionRequest');
  expect(none?.toString()).toContain('acme.Nothing is not known here.');
  client.close();
});
