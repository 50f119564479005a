import { describe, expect, it } from 'vitest';
import { GossipConfigError, gossipConfig, LAN, LOCAL } from './config.ts';

describe('the configuration', () => {
  it.each([
    ['LAN', LAN],
    ['LOCAL', LOCAL],
  ])('profile %s is sound', (_, profile) => {
    expect(gossipConfig(profile)).toEqual(profile);
  });

  it.each([
    [{ probeTimeoutMs: 1_000 }, 'gossip.probeTimeoutMs'],
    [{ packetBytes: 100 }, 'gossip.packetBytes'],
    [{ packetBytes: 70_000 }, 'gossip.packetBytes'],
    [{ leftRetainMs: 1 }, 'gossip.leftRetainMs'],
    [{ joinRetryMinMs: 20_000 }, 'gossip.joinRetryMinMs'],
    [{ gossipNodes: 0 }, 'gossip.gossipNodes'],
    [{ suspicionMult: Number.NaN }, 'gossip.suspicionMult'],
  ])('with %j is refused, by name', (changes, name) => {
    expect(() => gossipConfig(LAN, changes)).toThrow(GossipConfigError);
    expect(() => gossipConfig(LAN, changes)).toThrow(name);
  });
});
