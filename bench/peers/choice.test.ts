import { describe, expect, it } from 'vitest';
import { choosePeers } from './choice.ts';

describe('the choice of peers', () => {
  it('keeps the order of the command line, each peer once', () => {
    expect(choosePeers(['dbos', 'restate', 'dbos'], undefined)).toEqual({
      is: 'right',
      peers: [{ name: 'dbos' }, { name: 'restate' }],
    });
  });

  it.each(['127.0.0.1:7233', 'temporal.internal:7233', '[::1]:7233'])('takes a Temporal server at %s', (address) => {
    expect(choosePeers(['temporal'], address)).toEqual({ is: 'right', peers: [{ name: 'temporal', address }] });
  });

  it('takes a door of its own without an address', () => {
    expect(choosePeers(['temporal'], undefined)).toEqual({
      is: 'right',
      peers: [{ name: 'temporal', address: undefined }],
    });
  });

  it.each([
    [['cadence'], undefined, /no peer cadence; there are: restate, dbos, temporal/],
    [['toString'], undefined, /no peer toString/],
    [['temporal'], '127.0.0.1', /like 127\.0\.0\.1:7233, got '127\.0\.0\.1'/],
    [['temporal'], 'http://127.0.0.1:7233', /like 127\.0\.0\.1:7233/],
    [['temporal'], '127.0.0.1:70000', /like 127\.0\.0\.1:7233/],
    [['temporal'], '127.0.0.1:0', /like 127\.0\.0\.1:7233/],
    [['restate'], '127.0.0.1:7233', /--address says where the server of --peer temporal is/],
  ])('refuses %j with address %s', (names, address, why) => {
    const choice = choosePeers(names, address);
    expect(choice.is === 'wrong' ? choice.why : 'taken').toMatch(why);
  });
});
