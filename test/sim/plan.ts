// What one seed does: which workflows run and what clients do to them, how many workers there are and how big, how fast disk and network
// are, and the faults with their times. Plain data, made before anything runs: a failing seed prints it.

import type { FlowControl } from '../../src/wire/flow-control.ts';
import { type DeployPlan, makeDeploys, overridden } from './deploys.ts';
import { type DoorPlan, makeDoorPlan } from './grpc/plan.ts';
import { makeDeletions, makeOperations, type OperationPlan } from './operations/plan.ts';
import { SeededRandom } from './random.ts';
import type { WorkerSettings } from './worker.ts';

export type WorkflowType =
  | 'pipeline'
  | 'collector'
  | 'timers'
  | 'cancellable'
  | 'patient'
  | 'careful'
  | 'heartbeats'
  | 'locals'
  | 'stubborn'
  | 'family'
  | 'leaver'
  | 'courier'
  | 'ledger'
  | 'shopper';

export type Step =
  | { do: 'start' }
  /** The same request once more: the first answer comes back. */
  | { do: 'startAgain' }
  /** Another request for the same id: refused, whether it runs or is over (I8). */
  | { do: 'startOther' }
  | { do: 'signal'; id: string }
  /** Bad ones are rejected. */
  | { do: 'update'; id: string; until: 'accepted' | 'completed' }
  | { do: 'cancel' }
  | { do: 'terminate' }
  /** Nothing of the workflow begins until it is let go. */
  | { do: 'hold' }
  | { do: 'letGo' }
  | { do: 'query' }
  | { do: 'describe' }
  | { do: 'history'; wait: boolean; pageBytes: number }
  | { do: 'list' }
  | { do: 'pause'; ms: number };

export interface WorkflowPlan {
  workflowId: string;
  type: WorkflowType;
  args: unknown[];
  client: number;
  steps: Step[];
  flow?: FlowControl | undefined;
  /** It moves with each deploy, whatever it says itself. */
  upgrades?: boolean | undefined;
}

/** The instant a crash waits for: a write is under way, or has just ended, or one is while messages between workflows are. */
export type Aim = 'any' | 'writing' | 'written' | 'relaying';

export type Fault = { at: number } & (
  | { fault: 'node crash'; how: 'told' | 'silently'; aim: Aim; downMs: number }
  | { fault: 'node stop'; downMs: number }
  | { fault: 'write error'; downMs: number }
  | { fault: 'bit flip'; forMs: number }
  | { fault: 'slow disk'; ms: number; forMs: number }
  | { fault: 'connection drop'; who: 'worker' | 'client' }
  | { fault: 'half-open'; who: 'worker' | 'client' }
  | { fault: 'delay'; who: 'worker' | 'client'; ms: number; forMs: number }
  | { fault: 'duplicate connection' }
  | { fault: 'worker crash'; how: 'told' | 'silently'; downMs: number }
  | { fault: 'client crash'; downMs: number }
  | { fault: 'clock step'; ms: number }
  | { fault: 'passivation' }
);
export type FaultName = Fault['fault'];

export interface Plan {
  seed: number;
  shardCount: number;
  cachedActors: number;
  /** Outbox messages kept in memory; the others are read when there is room. */
  outboxKept: number;
  readMs: number;
  clients: number;
  workers: WorkerSettings[];
  workflows: WorkflowPlan[];
  operations: OperationPlan[];
  /** Its workers are of two versions. */
  deploys: DeployPlan | undefined;
  /** What is done through the Temporal-compatible door. */
  door: DoorPlan | undefined;
  faults: Fault[];
  /** Virtual ms at which everything is healed. */
  calmAt: number;
}

const TYPES: readonly WorkflowType[] = [
  'pipeline',
  'pipeline',
  'collector',
  'collector',
  'collector',
  'timers',
  'cancellable',
  'patient',
  'careful',
  'heartbeats',
  'locals',
  'stubborn',
  'family',
  'leaver',
  'leaver',
  'courier',
  'courier',
];
const AIMS: readonly Aim[] = ['any', 'writing', 'writing', 'written', 'relaying', 'relaying'];
const FAULTS: readonly FaultName[] = [
  'node crash',
  'node crash',
  'node crash',
  'node stop',
  'write error',
  'bit flip',
  'slow disk',
  'connection drop',
  'half-open',
  'delay',
  'duplicate connection',
  'worker crash',
  'client crash',
  'clock step',
  'passivation',
];

export function makePlan(seed: number): Plan {
  const random = new SeededRandom(`plan ${seed}`);
  const clients = random.int(1, 2);
  const workflows = Array.from({ length: random.int(2, 6) }, (_, i) => planned(random, i, clients)).flat();
  // With chance of their own: what the other workflows of a seed do was there before.
  const more = new SeededRandom(`updates ${seed}`);
  if (more.chance(0.4)) workflows.push(ledger(more, workflows.length, clients));
  const buys = new SeededRandom(`nexus ${seed}`);
  if (buys.chance(0.15)) {
    const things = buys.int(1, 3);
    const steps = workflow(buys, 'shopper', workflows.length, clients);
    workflows.push({ ...steps, args: [things] });
  }
  const flows = new SeededRandom(`flow control ${seed}`);
  if (flows.chance(0.4)) workflows.push(...limited(flows, workflows.length, clients));
  const above = new SeededRandom(`operations ${seed}`);
  const operations = above.chance(0.5) ? makeOperations(above, clients, 2) : [];
  const isOperated = operations.length > 0;
  operations.push(...makeDeletions(new SeededRandom(`deletions ${seed}`), clients));
  const held = new SeededRandom(`holds ${seed}`);
  for (const plan of workflows) if (HELD.has(plan.type) && held.chance(0.4)) hold(held, plan.steps);
  const windowMs = random.between(3_000, 9_000);
  // A few kinds per seed, so that each is seen alone and with others.
  const kinds = Array.from({ length: random.int(1, 4) }, () => random.pick(FAULTS));
  const count = random.chance(0.08) ? 0 : random.int(1, 8);
  const faults = Array.from({ length: count }, () => fault(random, random.pick(kinds), windowMs));
  if (isOperated && above.chance(0.4)) {
    const at = above.between(1_500, Math.max(2_000, windowMs));
    const aim = above.pick(['any', 'written', 'written'] as const);
    faults.push({ at, fault: 'node crash', how: 'told', aim, downMs: above.next() ** 2 * 2_000 });
  }
  let calmAt = windowMs + 500;
  // Down for longer than a schedule catches up with.
  if (isOperated && above.chance(0.15)) {
    const at = above.between(1_000, 3_000);
    const downMs = above.between(13_000, 20_000);
    faults.push({ at, fault: 'node crash', how: 'told', aim: 'any', downMs });
    calmAt = Math.max(calmAt, at + downMs + 1_500);
  }
  faults.sort((a, b) => a.at - b.at);
  const deploys = makeDeploys(seed, windowMs);
  const others = workflows.map(({ workflowId }) => workflowId);
  // Workers without a version would take what is of none.
  const door = deploys === undefined ? makeDoorPlan(new SeededRandom(`door ${seed}`), others) : undefined;
  const plan: Plan = {
    seed,
    shardCount: random.pick([1, 2, 4, 16]),
    cachedActors: random.pick([1, 2, 1_000]),
    outboxKept: random.pick([1, 4, 1_000]),
    readMs: random.pick([0.1, 1, 10]),
    clients,
    workers: Array.from({ length: random.int(1, 3) }, () => ({
      workflowSlots: random.int(2, 4),
      activitySlots: random.int(1, 4),
      maxCachedWorkflows: random.pick([0, 2, 100]),
      stickyTimeoutMs: random.pick([300, 2_000, 5_000]),
    })),
    workflows,
    operations,
    deploys,
    door,
    faults,
    calmAt,
  };
  return deploys === undefined ? plan : versioned(plan);
}

/** A worker of each version at least. Operations of Nexus have no versions. */
function versioned(plan: Plan): Plan {
  const { workers, workflows } = plan;
  const [first] = workers;
  if (first !== undefined && workers.length === 1) workers.push({ ...first });
  const kept = workflows.filter(({ type }) => type !== 'shopper');
  return { ...plan, workflows: kept.map((workflow) => ({ ...workflow, upgrades: overridden(plan.seed, workflow) })) };
}

/** What comes of the others may be another thing when activities time out meanwhile. */
const HELD: ReadonlySet<WorkflowType> = new Set(['pipeline', 'collector']);

/** Somewhere after the start the workflow is paused, with some of its steps in the pause. */
function hold(random: SeededRandom, steps: Step[]): void {
  const begin = random.int(2, steps.length);
  const end = random.int(begin, steps.length);
  steps.splice(end, 0, { do: 'pause', ms: random.next() ** 2 * 1_500 }, { do: 'letGo' });
  steps.splice(begin, 0, { do: 'hold' });
}

/** A workflow, with those it reaches for. */
function planned(random: SeededRandom, index: number, clients: number): WorkflowPlan[] {
  const type = random.pick(TYPES);
  if (type !== 'courier') return [workflow(random, type, index, clients)];
  const letters = Array.from({ length: random.int(1, 6) }, (_, i) => `letter-${i}`);
  const to = workflow(random, 'collector', index, clients, letters.length);
  const args: unknown[] = [to.workflowId, letters, random.int(1, 4)];
  const plans = [to];
  if (random.chance(0.5)) {
    const victim = workflow(random, 'cancellable', index, clients, 'left alone');
    plans.push(victim);
    args.push(victim.workflowId);
  }
  return [{ ...workflow(random, 'courier', index, clients), args }, ...plans];
}

/** With its steps; `others` says that another workflow sends its signals, so many, or its cancellation. */
function workflow(
  random: SeededRandom,
  type: WorkflowType,
  index: number,
  clients: number,
  others?: number | 'left alone',
): WorkflowPlan {
  const steps: Step[] = [{ do: 'pause', ms: random.between(0, 1_500) }, { do: 'start' }];
  const look = (): void => {
    if (random.chance(0.25)) steps.push({ do: 'query' });
    if (random.chance(0.2)) steps.push({ do: 'describe' });
    if (random.chance(0.35)) {
      steps.push({ do: 'history', wait: random.chance(0.3), pageBytes: random.pick([200, 1_000_000]) });
    }
    if (random.chance(0.1)) steps.push({ do: 'list' });
    if (random.chance(0.1)) steps.push({ do: 'startAgain' });
    if (random.chance(0.07)) steps.push({ do: 'startOther' });
    if (random.chance(0.6)) steps.push({ do: 'pause', ms: random.next() ** 3 * 2_000 });
  };
  let args: unknown[] = [];
  look();
  switch (type) {
    case 'pipeline':
      args = [random.int(0, 4)];
      break;
    case 'collector': {
      const total = typeof others === 'number' ? others : random.int(1, 8);
      args = [total, random.int(1, 4), []];
      for (let i = 0; i < total; i += 1) {
        if (others === undefined) steps.push({ do: 'signal', id: `s${i}` });
        look();
      }
      break;
    }
    case 'heartbeats':
      args = [random.int(5, 30)];
      break;
    case 'cancellable':
      if (others === undefined) steps.push({ do: 'cancel' });
      break;
    case 'patient':
      steps.push({ do: 'terminate' });
      break;
    case 'leaver': {
      const how = random.pick(['complete', 'fail', 'continue', 'wait']);
      args = [...random.pick(LEFT), how, random.chance(0.5)];
      if (how === 'wait') steps.push({ do: 'terminate' });
      break;
    }
    default:
      break;
  }
  for (let i = random.int(0, 3); i > 0; i -= 1) look();
  return { workflowId: `${type}-${index}`, type, args, client: random.int(0, clients - 1), steps };
}

/** Takes updates; the last one sent is a good one, so it is open for all. */
function ledger(random: SeededRandom, index: number, clients: number): WorkflowPlan {
  const steps: Step[] = [{ do: 'pause', ms: random.between(0, 1_500) }, { do: 'start' }];
  const total = random.int(1, 6);
  for (let i = 0; i < total; i += 1) {
    const until = random.chance(0.4) ? 'accepted' : 'completed';
    if (random.chance(0.4)) steps.push({ do: 'update', id: `bad-${i}`, until });
    if (random.chance(0.3)) steps.push({ do: 'query' });
    if (random.chance(0.5)) steps.push({ do: 'pause', ms: random.next() ** 3 * 3_000 });
    steps.push({ do: 'update', id: `note-${i}`, until });
    // The same once more: the first answer comes back.
    if (random.chance(0.2)) steps.push({ do: 'update', id: `note-${i}`, until: 'completed' });
  }
  const client = random.int(0, clients - 1);
  return { workflowId: `ledger-${index}`, type: 'ledger', args: [total], client, steps };
}

/** Several of one key, which end by themselves however long they wait. */
function limited(random: SeededRandom, first: number, clients: number): WorkflowPlan[] {
  const flow: FlowControl = { key: 'key', concurrency: { limit: random.int(1, 3) } };
  if (random.chance(0.4)) flow.throttle = { limit: random.int(1, 3), periodMs: random.int(100, 3_000) };
  return Array.from({ length: random.int(2, 6) }, (_, i) => {
    const type = random.pick(['pipeline', 'timers', 'collector', 'locals', 'stubborn'] as const);
    return { ...workflow(random, type, first + i, clients), flow };
  });
}

/** A child and what becomes of it when its parent closes: each ends by that alone, or by itself. */
const LEFT = [
  ['patient', 'TERMINATE'],
  ['cancellable', 'REQUEST_CANCEL'],
  ['pipeline', 'ABANDON'],
] as const;

function fault(random: SeededRandom, name: FaultName, windowMs: number): Fault {
  const at = random.between(200, windowMs);
  const who = random.chance(0.6) ? 'worker' : 'client';
  const how = random.chance(0.8) ? 'told' : 'silently';
  const downMs = random.next() ** 2 * 2_000;
  switch (name) {
    case 'node crash':
      return { at, fault: name, how, aim: random.pick(AIMS), downMs };
    case 'node stop':
    case 'write error':
    case 'client crash':
      return { at, fault: name, downMs };
    case 'bit flip':
      return { at, fault: name, forMs: random.between(100, 3_000) };
    case 'slow disk':
      return { at, fault: name, ms: random.between(5, 400), forMs: random.between(100, 3_000) };
    case 'connection drop':
    case 'half-open':
      return { at, fault: name, who };
    case 'delay':
      return { at, fault: name, who, ms: random.between(10, 3_000), forMs: random.between(100, 4_000) };
    case 'duplicate connection':
    case 'passivation':
      return { at, fault: name };
    case 'worker crash':
      return { at, fault: name, how, downMs };
    case 'clock step':
      return { at, fault: name, ms: random.between(-8_000, 8_000) };
  }
}
