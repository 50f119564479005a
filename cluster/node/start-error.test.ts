import { describe, expect, it } from 'vitest';
import { startErrorOf } from '../../src/node-errors.ts';
import { GossipRefusedError } from '../gossip/gossip.ts';
import { GossipStartError } from '../gossip/index.ts';
import { linkStartError } from './start-error.ts';

const coded = (code: string): Error => Object.assign(new Error(`listen ${code}`), { code });
const DOOR = { ip: '127.0.0.1', port: 7280 };

describe('a node that cannot start says what is in its way, whichever part met it', () => {
  it.each<[string, unknown, string, RegExp, RegExp]>([
    ['its own port', coded('EADDRINUSE'), 'portTaken', /^127\.0\.0\.1:7280 is taken/, /--port/],
    [
      'the port of links',
      linkStartError(coded('EADDRINUSE'), { host: '::1', port: 7281 }),
      'portTaken',
      /^\[::1\]:7281 \(links between nodes\) is taken/,
      /--link-port/,
    ],
    [
      'an address that is not here',
      linkStartError(coded('EADDRNOTAVAIL'), { host: '10.9.9.9', port: 1 }),
      'address',
      /^10\.9\.9\.9:1 \(links between nodes\) is no address/,
      /cluster\.link\.ip/,
    ],
    [
      'the port of gossip',
      new GossipStartError('portTaken', '127.0.0.1:7946 (gossip) is taken by another process', 'Choose another.'),
      'portTaken',
      /7946 \(gossip\) is taken/,
      /^Choose another\.$/,
    ],
    [
      'the cluster, for its key',
      new GossipRefusedError('unknownKey', 'node-1'),
      'fault',
      /does not let this node in \(node-1 says\): .*cluster\.keys/,
      /goes on without it/,
    ],
    ['what nobody foresaw', new Error('odd'), 'fault', /^odd$/, /--log-level debug/],
  ])('%s', (_, error, kind, message, hint) => {
    const start = startErrorOf(error, DOOR);
    expect(start.kind).toBe(kind);
    expect(start.message).toMatch(message);
    expect(start.hint).toMatch(hint);
  });
});
