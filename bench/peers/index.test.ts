import { describe, expect, it } from 'vitest';
import type { System } from '../lib/model.ts';
import { preparePeers } from './index.ts';
import { PeerError } from './pins.ts';

const system = (name: string): System => ({
  name,
  version: '1.0.0',
  kinds: [],
  start: () => Promise.reject(new Error('not started here')),
});

describe('peers that a run asks for', () => {
  it('go on without one that cannot take part, which says what is missing', async () => {
    const said: string[] = [];
    const { systems, missing } = await preparePeers(
      [{ name: 'restate' }, { name: 'dbos' }],
      (text) => said.push(text),
      async ({ name }, say) => {
        say('installing');
        if (name === 'restate') throw new PeerError('restate cannot be installed: no registry');
        return [system(name)];
      },
    );
    expect(systems.map(({ name }) => name)).toEqual(['dbos']);
    expect(missing).toEqual([{ name: 'restate', why: 'restate cannot be installed: no registry' }]);
    expect(said).toEqual(['restate: installing', 'dbos: installing']);
  });

  it('do not hide a defect of ours', async () => {
    const broken = preparePeers(
      [{ name: 'dbos' }],
      () => {},
      () => Promise.reject(new TypeError('defect')),
    );
    await expect(broken).rejects.toThrow('defect');
  });
});
