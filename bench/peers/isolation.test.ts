import { describe, expect, it } from 'vitest';
import { findIsolation, inOwn, inThatOf, interfacesOf, type Run } from './isolation.ts';
import { PeerError } from './pins.ts';

const ALONE = `Inter-|   Receive                |  Transmit
 face |bytes    packets errs drop|bytes    packets
    lo:       0       0    0    0        0       0
`;
const NOT_ALONE = `${ALONE}  eth0: 1 2 3 4 5 6\n`;
const service = { command: 'node', args: ['service.mjs', 'a b'] };

describe('a network namespace for a peer', () => {
  it('starts a command with its arguments as they are, once loopback is up', () => {
    expect(inOwn({ by: 'root' }, service)).toEqual({
      command: 'unshare',
      args: ['--net', '--', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"', 'node', 'service.mjs', 'a b'],
    });
  });

  it('comes with a user namespace where there is no root', () => {
    expect(inOwn({ by: 'user namespace' }, service).args.slice(0, 3)).toEqual(['--user', '--map-root-user', '--net']);
    expect(inThatOf(17, { by: 'user namespace' }, service)).toEqual({
      command: 'nsenter',
      args: ['--target', '17', '--user', '--preserve-credentials', '--net', '--', 'node', 'service.mjs', 'a b'],
    });
  });

  it('is made as root where that works', () => {
    expect(findIsolation('restate', () => ({ code: 0, output: ALONE }))).toEqual({ by: 'root' });
  });

  it('is made without root where that is allowed', () => {
    const run: Run = ({ args }) =>
      args.includes('--user') ? { code: 0, output: ALONE } : { code: 1, output: 'unshare: Operation not permitted' };
    expect(findIsolation('restate', run)).toEqual({ by: 'user namespace' });
  });

  it.each([
    [
      'nothing is allowed',
      1,
      'unshare: Operation not permitted',
      /as user namespace: unshare: Operation not permitted/,
    ],
    ['a program is missing', null, 'spawnSync unshare ENOENT', /Debian: util-linux(.|\n)*ENOENT/],
    ['more than loopback is seen', 0, NOT_ALONE, /it is not run without/],
    ['there is no network at all', 0, '', /it is not run without/],
  ])('is refused when %s, saying what is missing', (_, code, output, why) => {
    const find = () => findIsolation('restate', () => ({ code, output }));
    expect(find).toThrow(PeerError);
    expect(find).toThrow(why);
  });

  it('has its interfaces read from the table of the kernel', () => {
    expect(interfacesOf(ALONE)).toEqual(['lo']);
    expect(interfacesOf(NOT_ALONE)).toEqual(['lo', 'eth0']);
  });
});
