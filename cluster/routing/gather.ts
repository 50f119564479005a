// List and count over the whole cluster: every shard is asked once, at a node that serves it while it answers. A shard without an owner makes the call
// wait, and in the end fail with its name; never a silent omission (DESIGN §5). Called by router.ts.

import type { Done } from '../../src/ports/engine.ts';
import type { Status } from '../../src/wire/status.ts';
import { isRemote, type RemoteOwner } from './ownership.ts';
import type { RouteContext } from './routed-call.ts';
import { exhausted, retryable, unavailable } from './statuses.ts';

/** What became of the shards asked of one node. `later`: some are not served there, or it cannot be reached. */
export type Piece<T> =
  | { type: 'value'; value: T }
  | { type: 'later'; why: string | undefined }
  /** `silent`: it is this node's own word, nothing came from that one. */
  | { type: 'refused'; status: Status; silent: string | undefined };

export interface GatherOptions<T> {
  /** For messages: list or count. */
  what: string;
  context: RouteContext;
  askLocal(shards: ReadonlySet<number>, done: (piece: Piece<T>) => void): void;
  askRemote(owner: RemoteOwner, shards: ReadonlySet<number>, done: (piece: Piece<T>) => void): void;
  done: Done<T[]>;
}

const LOCAL = '';

export class Gathering<T> {
  readonly #options: GatherOptions<T>;
  readonly #remaining = new Set<number>();
  readonly #values: T[] = [];
  readonly #since: number;
  #roundAt = 0;
  #pauseMs: number;
  #open = 0;
  #why: string | undefined;
  /** Nodes that left this one without an answer, and since when. */
  readonly #silent = new Map<string, number>();
  #over = false;

  constructor(options: GatherOptions<T>) {
    this.#options = options;
    const { view, clock, limits } = options.context;
    for (let shard = 0; shard < view.shardCount; shard += 1) this.#remaining.add(shard);
    this.#since = clock.monotonic();
    this.#pauseMs = limits.pauseMs;
  }

  /** Asks every owner of what is still missing. */
  begin(): void {
    const { context, askLocal, askRemote } = this.#options;
    this.#roundAt = context.clock.monotonic();
    const pieces = new Map<string, { owner: RemoteOwner | undefined; shards: Set<number> }>();
    for (const shard of this.#remaining) {
      const owner = context.view.ownerOf(shard);
      if (owner !== 'local' && !isRemote(owner)) continue;
      const node = owner === 'local' ? LOCAL : owner.node;
      const piece = pieces.get(node);
      if (piece === undefined)
        pieces.set(node, { owner: owner === 'local' ? undefined : owner, shards: new Set([shard]) });
      else piece.shards.add(shard);
    }
    // One more than there are, so that answers given at once do not end the round before all are asked.
    this.#open = pieces.size + 1;
    for (const { owner, shards } of pieces.values()) {
      const settle = (piece: Piece<T>): void => this.#settle(shards, piece);
      if (owner === undefined) askLocal(shards, settle);
      else askRemote(owner, shards, settle);
    }
    this.#roundEnds();
  }

  #settle(shards: ReadonlySet<number>, piece: Piece<T>): void {
    if (this.#over) return;
    switch (piece.type) {
      case 'value':
        this.#values.push(piece.value);
        for (const shard of shards) this.#remaining.delete(shard);
        break;
      case 'later':
        this.#why = piece.why ?? this.#why;
        break;
      case 'refused': {
        const later = retryable(piece.status);
        if (later === undefined) {
          this.#finish(piece.status, undefined);
          return;
        }
        this.#why = piece.status.message;
        if (piece.silent !== undefined && !this.#silent.has(piece.silent))
          this.#silent.set(piece.silent, this.#roundAt);
      }
    }
    this.#roundEnds();
  }

  #roundEnds(): void {
    this.#open -= 1;
    if (this.#over || this.#open > 0) return;
    const [missing] = this.#remaining;
    if (missing === undefined) {
      this.#finish(undefined, this.#values);
      return;
    }
    const { context, what } = this.#options;
    const { clock, limits, parking, cutOff } = context;
    const waitedMs = Math.round(clock.monotonic() - this.#since);
    const alone = cutOff();
    if (waitedMs >= limits.waitMs || alone !== undefined || this.#isSilent()) {
      const others = this.#remaining.size > 1 ? ` and ${this.#remaining.size - 1} others` : '';
      const why = alone ?? this.#why ?? 'it has no owner';
      const rest = waitedMs >= limits.waitMs ? '' : ' Ask another node.';
      this.#finish(
        unavailable(
          `Shard ${missing}${others} could not be asked for a ${what} within ${waitedMs} ms: ${why}${rest}`,
          'no',
        ),
        undefined,
      );
      return;
    }
    const parked = parking.park(missing, this.#pauseMs, () => this.begin());
    this.#pauseMs = Math.min(limits.pauseMaxMs, 2 * this.#pauseMs);
    if (parked === undefined) {
      this.#finish(
        exhausted('MOVING_SHARDS', `${limits.parked} requests wait for shards that move: try the ${what} again later.`),
        undefined,
      );
    }
  }

  /** An owner of what is missing has been asked for long, and another node may reach it. */
  #isSilent(): boolean {
    const { view, clock, limits } = this.#options.context;
    const before = clock.monotonic() - limits.attemptMs;
    return [...this.#remaining].some((shard) => {
      const owner = view.ownerOf(shard);
      return isRemote(owner) && (this.#silent.get(owner.node) ?? Number.POSITIVE_INFINITY) <= before;
    });
  }

  #finish(error: Status | undefined, values: T[] | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.done(error, values);
  }
}
