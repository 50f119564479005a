// `tenuto config` and `tenuto completion`, as processes: no server is needed for either.

import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { temporaryDir, tenuto } from '../support/processes.ts';

const atEnd = undoneAtFileEnd();

const file = join(temporaryDir(atEnd), 'deep', 'config.yaml');
const config = (...args: string[]) => tenuto(['config', ...args], { env: { TENUTO_CONFIG_FILE: file } });

describe('tenuto config', () => {
  it('makes a profile, shows it, and forgets it, a comment in the file staying', async () => {
    expect(
      await config('set', '--profile', 'staging', '--prop', 'address', '--value', 'wss://a.example'),
    ).toMatchObject({ code: 0, stdout: 'profile staging: address is set\n' });
    writeFileSync(file, `# ours\n${readFileSync(file, 'utf8')}`);
    await config('set', '--profile', 'staging', '--prop', 'token', '--value', 'hush');
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const listed = await config('list', '-o', 'json');
    expect(JSON.parse(listed.stdout)).toEqual([{ name: 'staging', address: 'wss://a.example', token: '(set)' }]);
    expect((await config('get', '--profile', 'staging')).stdout).not.toContain('hush');
    expect((await config('get', '--profile', 'staging', '--prop', 'token')).stdout).toBe('hush\n');

    expect((await config('delete', '--profile', 'staging', '--prop', 'token')).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('# ours\nprofiles:\n  staging:\n    address: wss://a.example\n');
    expect((await config('delete-profile', '--profile', 'staging')).code).toBe(0);
    expect(JSON.parse((await config('list', '-o', 'json')).stdout)).toEqual([]);
  }, 60_000);

  it('says what is wrong, and writes nothing over a file it cannot read', async () => {
    expect(await config('get', '--profile', 'nobody')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('has no profile nobody'),
    });
    expect(await config('set', '--prop', 'colour', '--value', 'red')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('address, namespace, token, tokenFile, tlsCa'),
    });
    writeFileSync(file, 'profiles: [');
    expect(await config('set', '--prop', 'address', '--value', 'x')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is not YAML'),
    });
    expect(readFileSync(file, 'utf8')).toBe('profiles: [');
  }, 60_000);
});

describe('tenuto completion', () => {
  it('has a script for each shell, which asks the command itself', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      expect(await tenuto(['completion', shell])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('tenuto __complete'),
      });
    }
    expect((await tenuto(['__complete', 'workflow', 'sta'])).stdout.split('\n')).toContain('start');
    expect((await tenuto(['__complete', 'workflow', 'list', '-o', 'js'])).stdout).toBe('json\njsonl\n');
  }, 60_000);
});
