// What a node does about a coordinator that forgets the plan.

import { describe, expect, it } from 'vitest';
import { silentLog } from '../../src/ports/log.ts';
import { ManualTime } from '../link/link.test-support.ts';
import { MemoryCoordinator } from '../ownership/memory/client.ts';
import { MemoryCoordinatorServer } from '../ownership/memory/server.ts';
import type { RingMember } from '../ring/member.ts';
import { DEFAULT_PLAN_SETTINGS } from '../ring/plan.ts';
import { Placement } from './placement.ts';

const A: RingMember = { name: 'a', directoryId: 'dir-a', zone: '', weight: 1, drain: 'no', seed: 0 };

describe('placement', () => {
  it('notices a coordinator that has forgotten the plan, and no other', async () => {
    const time = new ManualTime();
    const server = new MemoryCoordinatorServer(time);
    let forgotten = 0;
    const placement = new Placement({
      ...{ self: 'dir-a', shardCount: 8, replicas: 1, settings: DEFAULT_PLAN_SETTINGS, log: silentLog },
      ...{ clock: time, scheduler: time, coordinator: new MemoryCoordinator({ server, clock: time, scheduler: time }) },
      ...{
        seen: () => ({ present: [A], left: new Set() }),
        reaches: () => true,
        isBorn: () => true,
        heard: () => undefined,
        changed: () => undefined,
      },
      forgotten: () => {
        forgotten += 1;
      },
    });
    const pass = async (seconds: number): Promise<void> => {
      for (let i = 0; i < seconds; i += 1) {
        time.advance(1_000);
        for (let turns = 0; turns < 10; turns += 1) await Promise.resolve();
      }
    };
    placement.start('');
    await pass(20);
    expect(placement.plan.version).toBe(1);
    expect(forgotten).toBe(0);
    server.wipe();
    await pass(5);
    expect(forgotten).toBeGreaterThan(0);
    placement.stop();
  });
});
