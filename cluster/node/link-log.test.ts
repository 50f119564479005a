import { describe, expect, it } from 'vitest';
import type { LogFields } from '../../src/ports/log.ts';
import { VirtualTime } from '../../src/shard/testing.ts';
import type { LinkEvent } from '../link/links.ts';
import { LinkLog } from './link-log.ts';

function logged() {
  const time = new VirtualTime();
  const lines: string[] = [];
  const at =
    (level: string) =>
    ({ notLoggedBefore }: LogFields, message: string): void =>
      void lines.push(
        `${level} ${message}${notLoggedBefore === undefined ? '' : ` (${String(notLoggedBefore)} before)`}`,
      );
  const log = new LinkLog({ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, time);
  return { time, lines, log };
}

const refused = (port: number, over: Partial<Extract<LinkEvent, { type: 'refused' }>> = {}): LinkEvent => ({
  ...{ type: 'refused', by: 'us', kind: 'protocol', peer: undefined, address: `10.0.0.9:${port}`, message: 'garbage' },
  ...over,
});

describe('the log of links', () => {
  it('says once in a while what a stranger does all the time, and how often it was not said', async () => {
    const { time, lines, log } = logged();
    for (let port = 1; port <= 500; port += 1) log.tell(refused(port));
    log.tell({ type: 'suppressed', count: 40 });
    expect(lines).toEqual(['warn garbage']);
    await time.advance(10_000);
    log.tell(refused(501));
    expect(lines).toEqual(['warn garbage', 'warn garbage (539 before)']);
  });

  it('says another reason, another host and another node at once', () => {
    const { lines, log } = logged();
    log.tell(refused(1));
    log.tell(refused(2, { kind: 'cluster', message: 'foreign' }));
    log.tell(refused(3, { address: '10.0.0.8:1', message: 'elsewhere' }));
    log.tell(refused(4, { by: 'peer', peer: 'b', message: 'told so' }));
    expect(lines).toEqual(['warn garbage', 'warn foreign', 'warn elsewhere', 'warn told so']);
  });

  it('knows what went wrong last with a node, until it is connected', () => {
    const { log } = logged();
    expect(log.whyNot('b')).toBeUndefined();
    log.tell({ type: 'unreachable', peer: 'b', address: 'b:1', message: 'nobody there', attempts: 3 });
    log.tell(refused(1, { peer: 'b', kind: 'clock', message: 'its clock is wrong' }));
    log.tell(refused(1, { peer: 'b', kind: 'duplicateLink', message: 'twice' }));
    expect(log.whyNot('b')).toBe('its clock is wrong');
    log.tell({ type: 'up', peer: 'b', address: 'b:1', version: '1', directoryId: 'd' });
    expect(log.whyNot('b')).toBeUndefined();
    for (let n = 0; n < 5_000; n += 1) log.tell(refused(1, { peer: `made up ${n}` }));
    expect(log.whyNot('made up 4999')).toBeUndefined();
  });

  it('is silent about two nodes that call each other at once, and about a second try', () => {
    const { lines, log } = logged();
    log.tell(refused(1, { kind: 'duplicateLink', message: 'twice' }));
    for (const attempts of [1, 2, 3]) {
      log.tell({ type: 'unreachable', peer: 'b', address: 'b:1', message: 'nobody there', attempts });
    }
    expect(lines).toEqual(['debug twice', 'debug nobody there']);
  });
});
