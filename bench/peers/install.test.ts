import { describe, expect, it } from 'vitest';
import { installPlan } from './install.ts';
import { PEER_NAMES, PINS } from './pins.ts';

describe.each(PEER_NAMES)('the installation of %s', (peer) => {
  it('pins exact versions', () => {
    expect(JSON.parse(installPlan(peer, '/cache').manifest)).toMatchObject({ private: true, dependencies: PINS[peer] });
    for (const version of Object.values(PINS[peer])) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('goes to a folder of its own below the cache, named by its pins', () => {
    const { folder } = installPlan(peer, '/cache');
    expect(folder).toMatch(new RegExp(`^/cache/${peer}-[0-9a-f]{8}$`));
    expect(installPlan(peer, '/cache').folder).toBe(folder);
    expect(new Set(PEER_NAMES.map((each) => installPlan(each, '/cache').folder)).size).toBe(PEER_NAMES.length);
  });

  it('runs no scripts of packages', () => {
    expect(installPlan(peer, '/cache').npmArgs).toContain('--ignore-scripts');
  });
});
