// `tenuto cluster replace`: a member that is gone for good is taken out of the ring plan at once. Asked at any node: what the member is to each of them is
// asked first, as the one at hand may have started after it went, know an older plan, or not have heard yet that it is gone; then it is forgotten by
// all that hold it for gone, or the operator is told why not. Called by control.ts.

import { type Check, object, string } from '../../src/frontend/validate/check.ts';
import { type Status, StatusCode } from '../../src/wire/status.ts';
import type { MemberSnapshot } from '../gossip/index.ts';
import type { Rpc } from '../link/rpc.ts';
import { decodeBody, encodeBody, encodeValue, readAnswer } from '../routing/answers.ts';
import { unavailable } from '../routing/statuses.ts';
import type { Placement } from './placement.ts';
import type { Roster } from './roster.ts';

export interface ReplacingOptions {
  self: string;
  members(): readonly MemberSnapshot[];
  roster: Pick<Roster, 'connected'>;
  placement: Pick<Placement, 'plan' | 'forget'>;
  rpc: Pick<Rpc, 'serve' | 'call'>;
}

const SEEN = 'cluster.seen';
const FORGET = 'cluster.forget';
const ASK_MS = 3_000;

/** What a member is to one node; `unplanned`: its plan names nobody so. */
const STATES = ['unplanned', 'gone', 'suspect', 'alive'] as const;
type SeenState = (typeof STATES)[number];

interface Seen {
  readonly state: SeenState;
  readonly name: string;
  readonly directoryId: string;
}

const NOBODY: Seen = { state: 'unplanned', name: '', directoryId: '' };

const nameBody = object<{ node: string }>({ node: string });
const directoryBody = object<{ directoryId: string }>({ directoryId: string });
const state: Check<SeenState> = (value) => STATES.find((one) => one === value) ?? 'unplanned';
const seen = object<Seen>({ state, name: string, directoryId: string });
/** Of an older node: it has done what it could. */
const done: Check<'forgotten' | 'kept'> = (value) => (value === 'kept' ? 'kept' : 'forgotten');

export class Replacing {
  readonly #options: ReplacingOptions;

  constructor(options: ReplacingOptions) {
    this.#options = options;
    const { rpc, placement } = options;
    rpc.serve(SEEN, (call, bytes) => call.answer(encodeValue(this.#seen(nameBody(decodeBody(bytes)).node))));
    rpc.serve(FORGET, (call, bytes) =>
      call.answer(encodeValue(placement.forget(directoryBody(decodeBody(bytes)).directoryId))),
    );
  }

  /** By name or directory id. Why it was not done; undefined: it was. */
  async replace(node: string): Promise<Status | undefined> {
    const { self, roster, placement } = this.#options;
    const peers = roster.connected();
    const found: (Seen & { by: string })[] = [{ by: self, ...this.#seen(node) }];
    const answers = await Promise.all(peers.map((peer) => this.#ask(peer, SEEN, { node }, seen)));
    answers.forEach((answer, i) => {
      found.push({ by: peers[i] ?? '', ...(answer ?? NOBODY) });
    });
    const planned = found.filter(({ state: is }) => is !== 'unplanned');
    const [member] = planned;
    if (member === undefined) return notPlanned(node);
    const directories = new Set(planned.map(({ directoryId }) => directoryId));
    if (directories.size > 1) return ambiguous(node, [...directories]);
    const there = planned.find(({ state: is }) => is === 'alive') ?? planned.find(({ state: is }) => is === 'suspect');
    if (there !== undefined) return isThere(there, self);
    const { directoryId, name } = member;
    const others = peers.map((peer) => this.#ask(peer, FORGET, { directoryId }, done));
    const outcomes = [placement.forget(directoryId), ...(await Promise.all(others))];
    if (outcomes.includes('forgotten')) return undefined;
    // Who did not answer may have done it.
    return unavailable(
      `Node ${name} is gone, but no node has noticed for long enough to take it out of the plan: ask again.`,
      outcomes.includes(undefined) ? 'maybe' : 'no',
    );
  }

  #seen(node: string): Seen {
    const { placement, members } = this.#options;
    const planned = placement.plan.members.find(({ name, directoryId }) => name === node || directoryId === node);
    if (planned === undefined) return NOBODY;
    const { name, directoryId } = planned;
    const states = members().flatMap((member) => (member.directoryId === directoryId ? [member.state] : []));
    const is = states.includes('alive') ? 'alive' : states.includes('suspect') ? 'suspect' : 'gone';
    return { state: is, name, directoryId };
  }

  #ask<T>(node: string, method: string, body: object, check: Check<T>): Promise<T | undefined> {
    return new Promise((resolve) => {
      this.#options.rpc.call(node, method, encodeBody(body), ASK_MS, (error, bytes) => {
        const answer = error === undefined && bytes !== undefined ? readAnswer(bytes, check) : undefined;
        resolve(answer?.type === 'value' ? answer.value : undefined);
      });
    });
  }
}

const notPlanned = (node: string): Status => ({
  code: StatusCode.NOT_FOUND,
  message: `No node called ${JSON.stringify(node)} is of the ring plan: tenuto cluster members lists them.`,
});

const ambiguous = (node: string, directories: readonly string[]): Status => ({
  code: StatusCode.FAILED_PRECONDITION,
  message: `Nodes disagree on which data directory ${node} has (${directories.join(', ')}): ask again in some seconds, or name the directory.`,
});

const isThere = ({ name, by, state: is }: Seen & { by: string }, self: string): Status => {
  const who = by === self ? 'this node' : `node ${by}`;
  const drain = `drain it instead (tenuto cluster drain ${name} --everything)`;
  const message =
    is === 'alive'
      ? `Node ${name} is there: ${drain}. It is seen by ${who}.`
      : `Node ${name} may be there: it does not answer for now, and ${who} does not take it for gone yet. If it is gone, ask again in some seconds; if not, ${drain}.`;
  return { code: StatusCode.FAILED_PRECONDITION, message };
};
