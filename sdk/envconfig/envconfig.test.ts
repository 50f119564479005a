// Where a program finds its server: the profile of a file, the environment over it, and what is said of what makes no sense.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadClientConfig, loadClientConfigProfile, loadClientConnectConfig, ProfileError } from './index.ts';

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenuto-envconfig-'));
  path = join(folder, 'config.yaml');
  writeFileSync(join(folder, 'ca.pem'), 'CERT');
  writeFileSync(join(folder, 'token'), 'secret\n');
  writeFileSync(
    path,
    `profiles:
  default: { address: 127.0.0.1:7290, namespace: orders }
  staging: { address: wss://staging.example, tokenFile: ./token, tlsCa: ./ca.pem }
  wrong: { adress: typo }
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const NOTHING = { overrideEnvVars: { XDG_CONFIG_HOME: '/nowhere' } };

describe('a profile', () => {
  it('is that of the file that the environment names, in full', () => {
    const overrideEnvVars = { TENUTO_CONFIG_FILE: path };
    expect(loadClientConnectConfig({ overrideEnvVars })).toEqual({
      ...{ connectionOptions: { address: '127.0.0.1:7290' }, namespace: 'orders' },
    });
    const chosen = [
      { overrideEnvVars: { ...overrideEnvVars, TENUTO_PROFILE: 'staging' } },
      { overrideEnvVars, profile: 'staging' },
    ];
    for (const options of chosen) {
      const { connectionOptions, namespace } = loadClientConnectConfig(options);
      expect(connectionOptions).toMatchObject({ address: 'wss://staging.example', apiKey: 'secret' });
      expect(
        String(
          connectionOptions.tls &&
            (connectionOptions.tls as { serverRootCACertificate?: Uint8Array }).serverRootCACertificate,
        ),
      ).toBe('CERT');
      expect(namespace).toBeUndefined();
    }
  });

  it('gives way to the environment, key by key, unless that is left out', () => {
    const TENUTO_ADDRESS = '10.0.0.1:7280';
    const overrideEnvVars = { TENUTO_CONFIG_FILE: path, TENUTO_ADDRESS, TENUTO_TOKEN: 't', TENUTO_TLS_CA: 'ca.pem' };
    expect(loadClientConfigProfile({ overrideEnvVars })).toEqual({
      ...{ address: TENUTO_ADDRESS, namespace: 'orders', apiKey: 't', tls: { serverCACert: { path: 'ca.pem' } } },
    });
    expect(loadClientConfigProfile({ overrideEnvVars, configSource: { path }, disableEnv: true })).toEqual({
      ...{ address: '127.0.0.1:7290', namespace: 'orders' },
    });
    expect(loadClientConfigProfile({ overrideEnvVars, disableFile: true })).toEqual({
      ...{ address: TENUTO_ADDRESS, apiKey: 't', tls: { serverCACert: { path: 'ca.pem' } } },
    });
  });

  it('may come from a text, and need not be anywhere', () => {
    const data = 'profiles: { default: { address: here } }';
    for (const source of [data, new TextEncoder().encode(data)])
      expect(loadClientConnectConfig({ ...NOTHING, configSource: { data: source } })).toEqual({
        connectionOptions: { address: 'here' },
      });
    expect(loadClientConnectConfig(NOTHING)).toEqual({ connectionOptions: {} });
    expect(loadClientConfig(NOTHING)).toEqual({ profiles: {} });
  });

  it('is listed with the others', () => {
    const data = 'profiles: { a: { address: x }, b: { namespace: y } }';
    expect(loadClientConfig({ configSource: { data } })).toEqual({
      profiles: { a: { address: 'x' }, b: { namespace: 'y' } },
    });
  });
});

it.each([
  [
    'a key that nobody knows',
    () => ({ configSource: { path }, profile: 'wrong' }),
    'profile wrong has an unknown key adress',
  ],
  [
    'a profile that is not there',
    () => ({ configSource: { path }, profile: 'prod' }),
    'has no profile prod; it has default, staging, wrong',
  ],
  [
    'a named profile without a file',
    () => ({ ...NOTHING, profile: 'prod' }),
    'profile prod: there is no config file /nowhere/tenuto/config.yaml',
  ],
  [
    'a named file that is not there',
    () => ({ configSource: { path: '/nowhere/c.yaml' } }),
    'there is no config file /nowhere/c.yaml',
  ],
  ['what is not YAML', () => ({ configSource: { data: 'a: [' } }), 'config data is not YAML'],
  [
    'a value that is no text',
    () => ({ configSource: { data: 'profiles: { default: { address: 7 } }' } }),
    'address must be a string',
  ],
  [
    'a token that cannot be read',
    () => ({ configSource: { data: 'profiles: { default: { tokenFile: /nowhere/t } }' } }),
    'cannot read /nowhere/t',
  ],
])('%s is named', (_, options, message) => {
  const load = () => loadClientConnectConfig(options());
  expect(load).toThrow(ProfileError);
  expect(load).toThrow(message);
});

it('nothing to look at is refused', () => {
  expect(() => loadClientConfigProfile({ disableEnv: true, disableFile: true })).toThrow('leave nothing to load');
});
