// A node beyond one's own machine: wss with certificate files and bearer tokens, for the SDK's client and worker and for the CLI.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { selfSigned } from '../support/certificate.ts';
import { type ServerProcess, startServer, temporaryDir, tenuto } from '../support/processes.ts';
import { connect, inhabit, TASK_QUEUE } from './world.ts';

const { certificate, privateKey } = selfSigned();
const tls = { serverRootCACertificate: certificate };
const TOKENS = { orders: 'token-of-orders', billing: 'token-of-billing' };

const atFileEnd = undoneAtFileEnd();

let directory = '';
let node: ServerProcess;
let address = '';
beforeAll(async () => {
  directory = temporaryDir(atFileEnd);
  writeFileSync(join(directory, 'cert.pem'), certificate);
  writeFileSync(join(directory, 'key.pem'), privateKey);
  writeFileSync(
    join(directory, 'node.yaml'),
    `listen: { port: 0 }
tls: { certFile: cert.pem, keyFile: key.pem }
namespaces:
  - { name: orders, tokens: [${TOKENS.orders}] }
  - { name: billing, tokens: [${TOKENS.billing}] }
`,
  );
  node = await startServer(['start', '--config', join(directory, 'node.yaml')], { atEnd: atFileEnd });
  address = `wss://${node.address.replace('127.0.0.1', 'localhost')}`;
});

describe('a node with TLS and tokens', () => {
  it('runs a workflow for a client and a worker with the right ones', async () => {
    const options = { address, tls, token: TOKENS.orders };
    const { client } = await inhabit(options, atFileEnd, { namespace: 'orders' });
    const greeting = { workflowId: 'w', taskQueue: TASK_QUEUE, args: ['safely'] };
    expect(await client.workflow.execute('hello', greeting)).toBe('Hello, safely!');
    const outcome = await tenuto([
      ...['workflow', 'result', '-w', 'w', '--address', address, '-n', 'orders', '--token', TOKENS.orders],
      ...['--tls-ca', join(directory, 'cert.pem')],
    ]);
    expect(outcome).toMatchObject({ code: 0, stdout: 'completed w\n"Hello, safely!"\n' });
  });

  it('answers a health check, of its own environment and of others', async () => {
    const [, port = ''] = node.address.split(':');
    const own = { TENUTO_PORT: port, TENUTO_TLS_CERT: join(directory, 'cert.pem') };
    expect(await tenuto(['server', 'check'], { env: own })).toMatchObject({ code: 0, stdout: 'ready\n' });
    const checked = await tenuto(['server', 'check', '--address', address, '--tls-ca', join(directory, 'cert.pem')]);
    expect(checked).toMatchObject({ code: 0, stdout: 'ready\n' });
    expect((await tenuto(['server', 'check', '--address', node.address])).code).toBe(5);
  });

  it('opens a namespace to its own token only', async () => {
    const withToken = async (token: string | undefined, namespace: string) => {
      const connection = await connect({ address, tls, token }, atFileEnd);
      return connection.request('countWorkflowExecutions', { namespace });
    };
    expect(await withToken(TOKENS.billing, 'billing')).toMatchObject({ count: 0 });
    for (const token of [TOKENS.billing, 'something-else', undefined]) {
      await expect(withToken(token, 'orders')).rejects.toThrow(/PERMISSION_DENIED|UNAUTHENTICATED/);
    }
  });

  it('is reached through a profile, whose paths are relative to its file', async () => {
    writeFileSync(join(directory, 'token'), `${TOKENS.orders}\n`);
    const file = join(directory, 'profiles.yaml');
    writeFileSync(
      file,
      `profiles: { safe: { address: '${address}', namespace: orders, tokenFile: token, tlsCa: cert.pem } }\n`,
    );
    const counted = await tenuto(['workflow', 'count', '-o', 'json', '--config-file', file, '--profile', 'safe']);
    expect(counted).toMatchObject({ code: 0, stderr: '' });
  });

  it('is not trusted without its authority, and not spoken to in the clear', async () => {
    const strict = { connectTimeout: '1s', token: TOKENS.orders } as const;
    await expect(connect({ address, ...strict }, atFileEnd)).rejects.toThrow(/certificate/);
    await expect(connect({ address: node.address, ...strict }, atFileEnd)).rejects.toThrow();
    expect(node.stderr()).not.toContain(TOKENS.orders);
  });
});
