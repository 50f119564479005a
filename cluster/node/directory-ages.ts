// How old each node's data directory is. An older copy of one, or a volume that was set back to a snapshot, knows nothing of what the directory has
// promised and acknowledged since, and must not be taken for the voter it was (I3). So each directory counts, durably before it says so; the others keep
// the highest count they heard, exchange no entries and votes with a new process that comes with no more, and tell it, over the link that both have proven
// themselves on: it gives its directory up. Nodes that had no link with it since the copy was made cannot know. Owned by cluster-node.ts.

import { integer, object, string } from '../../src/frontend/validate/check.ts';
import type { Cancelable, Scheduler } from '../../src/ports/clock.ts';
import type { RemoteNode } from '../link/identity.ts';
import type { Rpc } from '../link/rpc.ts';
import { decodeBody, encodeBody, encodeValue } from '../routing/answers.ts';
import type { KnownAge, NodeState } from './state.ts';

/** ms between two counts: a copy that is younger than two of them may not be noticed. */
export const COUNT_MS = 10_000;
/** Directories whose ages are kept (I9): as many as gossip knows members. */
const MOST_KNOWN = 4_096;
const GROWN = 'cluster.age';
const OUTDATED = 'cluster.outdated';
const ANSWER_MS = 5_000;

export interface DirectoryAgesOptions {
  readonly name: string;
  /** This node's data directory. */
  readonly self: string;
  /** As its start found it. */
  readonly state: Pick<NodeState, 'age' | 'ages'>;
  readonly countMs: number;
  readonly scheduler: Scheduler;
  rpc(): Pick<Rpc, 'serve' | 'call'>;
  connected(): readonly string[];
  /** Of a node that is connected. */
  remoteOf(node: string): RemoteNode | undefined;
  save(change: Partial<NodeState>): Promise<void>;
  /** This node's directory is older than it was. */
  failed(error: unknown): void;
}

const grown = object<{ age: number }>({ age: integer });
const outdated = object<{ directoryId: string; why: string }>({ directoryId: string, why: string });

export class DirectoryAges {
  readonly #options: DirectoryAgesOptions;
  /** By directory; those heard of last at the end. */
  readonly #known: Map<string, Omit<KnownAge, 'directoryId'>>;
  #age = 0;
  #ageAtStart: number | undefined;
  #timer: Cancelable | undefined;
  #stopped = false;

  constructor(options: DirectoryAgesOptions) {
    this.#options = options;
    this.#known = new Map(options.state.ages?.map(({ directoryId, ...known }) => [directoryId, known]));
  }

  /**
   * Of this node's directory, durably, as this process began; undefined before `begin`. What it has counted since says nothing of where it began: with no
   * link to anybody one that was set back would come to any age.
   */
  get ageAtStart(): number | undefined {
    return this.#ageAtStart;
  }

  /** Before anybody is spoken to. */
  async begin(): Promise<void> {
    const { state, self, rpc, save, failed } = this.#options;
    rpc().serve(GROWN, (call, bytes) => {
      this.#grown(call.from, grown(decodeBody(bytes)).age);
      call.answer(encodeValue(null));
    });
    rpc().serve(OUTDATED, (call, bytes) => {
      const { directoryId, why } = outdated(decodeBody(bytes));
      call.answer(encodeValue(null));
      if (directoryId !== self || this.#stopped) return;
      // A restart would come to a node that does not know.
      save({ damaged: why }).catch(() => undefined);
      failed(new Error(why));
    });
    await this.#count((state.age ?? 0) + 1);
    this.#ageAtStart = this.#age;
    this.#countLater();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Of a node that has just proven who it is, or is connected; undefined: its directory is as old as it was, or nothing is known of it. */
  whyOutdated({ nodeName, directoryId, bootId, age }: RemoteNode): string | undefined {
    const known = this.#known.get(directoryId);
    if (age === undefined) {
      // Of a release that does not count: what the next one counts from is not known.
      this.#known.delete(directoryId);
      return undefined;
    }
    if (known !== undefined && known.bootId !== bootId && age <= known.age) {
      // For good: it goes on counting.
      this.#heard(directoryId, known.bootId, Number.MAX_SAFE_INTEGER);
      return (
        `data directory ${directoryId} of node ${nodeName} is older than it was: a copy or a snapshot of it was put back, which does not know ` +
        `what it has promised since, as node ${this.#options.name} has heard. Empty it, and start the node: it learns from the others.`
      );
    }
    this.#heard(directoryId, bootId, age);
    return undefined;
  }

  /** A node has just been connected. */
  greet(node: string): void {
    const remote = this.#options.remoteOf(node);
    const why = remote && this.whyOutdated(remote);
    if (remote !== undefined && why !== undefined) this.#say(node, OUTDATED, { directoryId: remote.directoryId, why });
  }

  #grown(node: string, age: number): void {
    const remote = this.#options.remoteOf(node);
    if (remote === undefined || this.#known.get(remote.directoryId)?.bootId !== remote.bootId) return;
    this.#heard(remote.directoryId, remote.bootId, age);
  }

  #heard(directoryId: string, bootId: string, age: number): void {
    const known = this.#known.get(directoryId);
    const newest = known?.bootId === bootId ? Math.max(known.age, age) : age;
    this.#known.delete(directoryId);
    this.#known.set(directoryId, { bootId, age: newest });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MOST_KNOWN) break;
      this.#known.delete(oldest);
    }
  }

  #countLater(): void {
    const { scheduler, countMs } = this.#options;
    if (this.#stopped) return;
    this.#timer = scheduler.after(countMs, () => {
      // What is not on the disk is not said; a disk that refuses it has more to say by itself.
      void this.#count(this.#age + 1)
        .then(
          () => this.#sayAge(),
          () => undefined,
        )
        .then(() => this.#countLater());
    });
  }

  #sayAge(): void {
    if (this.#stopped) return;
    for (const node of this.#options.connected()) this.#say(node, GROWN, { age: this.#age });
  }

  #say(node: string, method: string, body: object): void {
    this.#options.rpc().call(node, method, encodeBody(body), ANSWER_MS, () => undefined);
  }

  async #count(age: number): Promise<void> {
    const ages = [...this.#known].map(([directoryId, known]) => ({ directoryId, ...known }));
    await this.#options.save({ age, ages });
    this.#age = age;
  }
}
