// Three nodes whose shards move and whose processes die at random: every acknowledged request is applied exactly once, none is applied twice, what was
// refused as not applied never was, and nothing waits for ever.

import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/core/workflow/message.ts';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '../../src/wire/enums.ts';
import type { Status } from '../../src/wire/status.ts';
import { SHARDS } from './routing.test-support.ts';
import { NAMES, type SimNode, SimWorld, type Told } from './simulation.test-support.ts';

const SEEDS = Number(process.env.TENUTO_ROUTING_SEEDS ?? 8);
const FAULTS_UNTIL_MS = 20_000;
/** A request may wait 10 s for its owner, after an attempt of 3 s. */
const SETTLED_AT_MS = FAULTS_UNTIL_MS + 25_000;

class Run {
  readonly world: SimWorld;
  #number = 0;

  constructor(seed: number) {
    this.world = new SimWorld(seed);
  }

  #tell(node: SimNode, shard: number, what: string): { told: Told; done: (error: Status | undefined) => void } {
    this.#number += 1;
    const told: Told = {
      id: `${node.name}:${what}-${this.#number}`,
      shard,
      at: node.name,
      outcome: 'open',
      message: '',
    };
    this.world.told.push(told);
    const done = (error: Status | undefined): void => {
      if (told.outcome === 'orphaned') return;
      if (told.outcome !== 'open') this.world.problems.push(`${told.id} was answered twice`);
      told.message = error?.message ?? '';
      if (error === undefined) told.outcome = 'ok';
      else if (error.detail?.kind === 'Unavailable') told.outcome = error.detail.applied;
      else told.outcome = 'rejected';
    };
    return { told, done };
  }

  submit(
    node: SimNode,
    shard: number,
    what: 'signal' | 'completion' | 'start' | 'terminate',
    workflowId?: string,
  ): void {
    const { told, done } = this.#tell(node, shard, what);
    const to = { namespace: 'n', workflowId: workflowId ?? `w${shard}-${told.id}` };
    node.router.submit(to, messageOf(what, told.id), done);
  }

  /** One caller waits for a workflow to close; another closes it a while later, at another node. */
  watch(node: SimNode, shard: number): void {
    const { told, done } = this.#tell(node, shard, 'await');
    const workflowId = `w${shard}-${told.id}`;
    const { world } = this;
    // As the SDK: a node that says it cannot is not asked again, if there is another.
    const ask = (at: SimNode): void => {
      told.at = at.name;
      at.router.awaitResult({ namespace: 'n', workflowId }, undefined, true, (error) => {
        const elsewhere = error?.message.includes('ask another node') === true;
        const others = world.alive.filter((other) => other !== at);
        const other = others[world.random.int(Math.max(1, others.length))];
        if (!elsewhere || other === undefined) {
          done(error);
          return;
        }
        world.count('asked elsewhere');
        world.time.after(50, () => {
          if (told.outcome !== 'orphaned') ask(other);
        });
      });
    };
    ask(node);
    const close = (): void => {
      const other = world.alive[world.random.int(world.alive.length)];
      if (other !== undefined) this.submit(other, shard, 'terminate', workflowId);
    };
    world.time.after(world.random.int(8_000), close);
    // The first may have failed in the middle of everything.
    world.time.after(Math.max(0, FAULTS_UNTIL_MS + 15_000 - world.time.at), close);
  }

  list(node: SimNode): void {
    const { world } = this;
    const before = new Set(
      world.told
        .filter(({ id, outcome }) => id.includes(':start-') && outcome === 'ok')
        .map(({ id, shard }) => `w${shard}-${id}`),
    );
    const { told, done } = this.#tell(node, 0, 'list');
    node.router.list({ namespace: 'n', query: '', pageSize: 100_000, nextPageToken: undefined }, (error, page) => {
      done(error);
      if (page === undefined) return;
      const listed = page.executions.map(({ workflowId }) => workflowId);
      if (new Set(listed).size !== listed.length) world.problems.push(`${told.id} shows an execution twice`);
      const all = new Set(listed);
      for (const id of before) if (!all.has(id)) world.problems.push(`${told.id} leaves out ${id}`);
    });
  }

  fault(): void {
    const { world } = this;
    const { random, network, time } = world;
    const pick = (): (typeof NAMES)[number] => NAMES[random.int(NAMES.length)] ?? 'a';
    switch (random.int(6)) {
      case 0:
      case 1:
        world.hand(random.int(SHARDS));
        break;
      case 2:
        world.move(random.int(SHARDS));
        break;
      case 3: {
        if (world.alive.length < NAMES.length) break;
        const name = pick();
        world.kill(name);
        time.after(500 + random.int(4_000), () => world.start(name));
        break;
      }
      case 4:
        network.break(pick(), pick());
        world.count('broken');
        break;
      case 5: {
        const [from, to] = [pick(), pick()];
        network.cut(from, to);
        world.count('cut');
        time.after(500 + random.int(6_000), () => network.heal(from, to));
        break;
      }
    }
  }

  run(): void {
    const { world } = this;
    const { random, time } = world;
    time.advance(1_000);
    const act = (): void => {
      if (time.at > FAULTS_UNTIL_MS) return;
      const node = world.alive[random.int(world.alive.length)];
      const shard = random.int(SHARDS);
      const dice = random.next();
      if (node === undefined) return;
      if (dice < 0.5) this.submit(node, shard, 'signal');
      else if (dice < 0.7) this.submit(node, shard, 'completion');
      else if (dice < 0.85) this.submit(node, shard, 'start');
      else if (dice < 0.95) this.watch(node, shard);
      else this.list(node);
      time.after(random.int(40), act);
    };
    const harm = (): void => {
      if (time.at > FAULTS_UNTIL_MS) return;
      this.fault();
      time.after(100 + random.int(900), harm);
    };
    act();
    harm();
    time.advance(SETTLED_AT_MS + 15_000);
  }

  check(): void {
    const { world } = this;
    for (const { id, shard, outcome, message } of world.told) {
      const applied = world.shards[shard]?.applied.get(id) ?? 0;
      if (outcome === 'open') world.problems.push(`${id} still waits`);
      if (applied > 1) world.problems.push(`${id} was applied ${applied} times`);
      if (/:(await|list)-/.test(id)) {
        // Each awaited workflow was closed in the end.
        if (id.includes(':await-') && outcome !== 'ok' && outcome !== 'orphaned' && !message.includes('10000 ms')) {
          world.problems.push(`${id} ended ${outcome}: ${message}`);
        }
        continue;
      }
      if (outcome === 'ok' && applied !== 1) world.problems.push(`${id} was acknowledged and applied ${applied} times`);
      if (outcome === 'no' && applied !== 0)
        world.problems.push(`${id} was refused as not applied, and was: ${message}`);
    }
    for (const node of world.alive)
      if (node.router.waiting > 0) world.problems.push(`${node.name} still parks ${node.router.waiting}`);
  }

  end(): void {
    for (const { router, links } of this.world.nodes.values()) {
      router.close();
      links.kill();
    }
  }
}

function messageOf(what: 'signal' | 'completion' | 'start' | 'terminate', id: string): Message {
  switch (what) {
    case 'signal':
      return { type: 'signal', target: {}, signalName: 's', identity: 'me', requestId: id };
    case 'terminate':
      return { type: 'terminate', target: {}, identity: 'me', requestId: id };
    case 'completion':
      // No request id: its identity tells which one was applied.
      return {
        type: 'completeActivityTask',
        activity: { task: { runId: 'r', scheduledEventId: 1, attempt: 1, startId: { term: 1, seq: 1 } } },
        identity: id,
      };
    case 'start':
      return {
        type: 'start',
        runId: `run-${id}`,
        requestId: id,
        identity: 'me',
        workflowType: 'T',
        taskQueue: 'q',
        reusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        conflictPolicy: WorkflowIdConflictPolicy.FAIL,
      };
  }
}

describe('three nodes, with shards that move and nodes that die', () => {
  const reached: Record<string, number> = {};

  it.each(Array.from({ length: SEEDS }, (_, i) => i + 1))('seed %i', (seed) => {
    const run = new Run(seed);
    run.run();
    run.check();
    run.end();
    const { world } = run;
    for (const [what, n] of Object.entries(world.seen)) reached[what] = (reached[what] ?? 0) + n;
    for (const { outcome } of world.told) reached[outcome] = (reached[outcome] ?? 0) + 1;
    expect(world.problems.slice(0, 5)).toEqual([]);
    // Most of it works, most of the time: faults come every half second.
    const ok = world.told.filter(({ outcome }) => outcome === 'ok').length;
    expect(ok / world.told.length).toBeGreaterThan(0.8);
  });

  it('meet what they are to be tested against', () => {
    for (const what of [
      'killed',
      'moved',
      'handed over',
      'broken',
      'cut',
      'repeat recognised',
      'asked elsewhere',
      'ok',
      'maybe',
      'orphaned',
    ]) {
      expect([what, (reached[what] ?? 0) > 0]).toEqual([what, true]);
    }
  });
});
