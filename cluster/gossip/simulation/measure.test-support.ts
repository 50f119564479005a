// What the issue asks of gossip in numbers, measured on a settled cluster of any size: how long until all know of a death, what it costs
// each node per second, and whether anybody alive is called dead. Used by `npm run sim -- --gossip N` and, small, by the tests.

import { type GossipConfig, LAN } from '../core/config.ts';
import type { MemberChange } from '../core/outputs.ts';
import { type SimNode, World } from './world.test-support.ts';

/** Not measured: first probes and first news. */
const WARM_UP_MS = 10_000;

export interface MeasureOptions {
  readonly nodes: number;
  readonly loss: number;
  readonly seed: number;
  readonly config?: GossipConfig;
  /** Virtual ms observed before somebody is killed. Default 60 s. */
  readonly steadyMs?: number;
  /** Deaths one after the other. Default 1. */
  readonly deaths?: number;
}

export interface Death {
  /** Since the kill, ms: first suspicion, first verdict, and when half, 99 % and all others knew. Infinity: never. */
  readonly suspectedMs: number;
  readonly firstMs: number;
  readonly halfMs: number;
  readonly mostMs: number;
  readonly allMs: number;
}

export interface Measured {
  readonly nodes: number;
  readonly loss: number;
  readonly seed: number;
  /** Bytes per node and second as on the wire (IP, UDP, TCP headers included), without and with a death in the time. */
  readonly steady: Rate;
  readonly whileDying: Rate;
  readonly deaths: readonly Death[];
  /** Deaths announced of nodes that ran, by node and subject. */
  readonly falseDeaths: number;
  readonly suspicions: number;
}

export interface Rate {
  readonly meanSent: number;
  readonly maxSent: number;
  readonly meanReceived: number;
}

/** How often each node's load is another one: far more often than it may tell. */
const LOAD_CHANGES_MS = 5_000;

function workAt(world: World, nodes: readonly SimNode[]): void {
  for (const node of nodes) {
    const change = (): void => {
      if (node.running) node.do(node.core.setLoad(node.now, world.random.int(0, 100)));
      world.at(world.now + LOAD_CHANGES_MS, change);
    };
    world.at(world.now + world.random.between(0, LOAD_CHANGES_MS), change);
  }
}

/** In this time a death must be known; past it nobody waits. */
const GIVE_UP_MS = 60_000;

export function measure(options: MeasureOptions): Measured {
  const { nodes: count, loss, seed, config = LAN, steadyMs = 60_000, deaths: toll = 1 } = options;
  const world = new World({ seed, loss, config });
  const nodes = world.settledCluster(count);
  workAt(world, nodes);
  world.run(WARM_UP_MS);
  const steady = rate(world, nodes, () => world.run(steadyMs));
  const suspicions = nodes.flatMap(({ heard }) => heard).filter(({ change }) => change.type === 'suspect').length;
  const deaths: Death[] = [];
  const whileDying = rate(world, nodes, () => {
    for (let i = 0; i < toll; i += 1) deaths.push(kill(world, nodes));
  });
  return { nodes: count, loss, seed, steady, whileDying, deaths, falseDeaths: world.falseDeaths.length, suspicions };
}

function kill(world: World, nodes: readonly SimNode[]): Death {
  const victim = world.random.pick(nodes.filter(({ running }) => running));
  const others = nodes.filter((node) => node.running && node !== victim);
  const killedAtMs = world.now;
  const first = (node: SimNode, type: MemberChange['type']): number => {
    const found = node.heard.find(
      ({ atMs, change }) => atMs >= killedAtMs && change.type === type && change.member.name === victim.name,
    );
    return found === undefined ? Number.POSITIVE_INFINITY : found.atMs - killedAtMs;
  };
  for (const node of nodes) node.heard.length = 0;
  victim.kill();
  let waiting = others;
  // In steps: who knows is looked at four times a second, when it was is on record.
  for (let waited = 0; waiting.length > 0 && waited < GIVE_UP_MS; waited += 250) {
    world.run(250);
    waiting = waiting.filter((node) => first(node, 'died') === Number.POSITIVE_INFINITY);
  }
  const knew = others.map((node) => first(node, 'died')).sort((a, b) => a - b);
  const at = (share: number): number => knew[Math.min(knew.length - 1, Math.floor(share * knew.length))] ?? 0;
  return {
    suspectedMs: Math.min(...others.map((node) => first(node, 'suspect'))),
    firstMs: at(0),
    halfMs: at(0.5),
    mostMs: at(0.99),
    allMs: at(1),
  };
}

function rate(world: World, nodes: readonly SimNode[], act: () => void): Rate {
  const before = nodes.map(({ traffic }) => ({ ...traffic }));
  const from = world.now;
  act();
  const seconds = (world.now - from) / 1_000;
  const per = (of: 'sentBytes' | 'receivedBytes'): number[] =>
    nodes.map(({ traffic }, index) => (traffic[of] - (before[index]?.[of] ?? 0)) / seconds);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const sent = per('sentBytes');
  return { meanSent: mean(sent), maxSent: Math.max(...sent), meanReceived: mean(per('receivedBytes')) };
}
