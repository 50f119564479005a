// How work reaches an actor besides a door's plain message: a task pulled for a claim, a timer that is due, a message from another actor, and
// messages that speak of an earlier run. Each becomes one turn of the executor. Called by the engine's parts.

import type { Message } from '../core/workflow/message.ts';
import type { Reply } from '../core/workflow/outcome.ts';
import type { Clock } from '../ports/clock.ts';
import type { Done } from '../ports/engine.ts';
import type { Key } from '../ports/ids.ts';
import type { ShardMessage, ShardMessageOutcome } from '../ports/led-shards.ts';
import type { Claim } from '../ports/matching.ts';
import { StatusCode } from '../wire/status.ts';
import { Actor } from './actor.ts';
import type { Actors } from './actors.ts';

import type { Committer } from './committer.ts';
import type { ActorCore } from './core.ts';
import type { Executor, TurnExtras } from './executor.ts';
import { applied } from './outbox.ts';
import type { Reader } from './reader.ts';
import type { Reads } from './reads.ts';
import { Resets } from './resets.ts';
import type { Retention } from './retention.ts';
import type { Settings } from './settings.ts';
import type { Shard } from './shard.ts';
import { messageOf, perhapsFor, unavailable } from './status.ts';
import type { DueTimer } from './timers.ts';
import { Turn } from './turn.ts';
import type { WaitingTask } from './waiting-task.ts';

export interface InboundOptions {
  core: ActorCore;
  clock: Clock;
  actors: Actors;
  committer: Committer;
  reader: Reader;
  reads: Reads;
  retention: Retention;
  settings: Settings;
  executor(): Executor;
  isServing(): boolean;
  onReadFailed(error: unknown): void;
}

export class Inbound {
  readonly #options: InboundOptions;
  readonly #resets: Resets;

  constructor(options: InboundOptions) {
    this.#options = options;
    this.#resets = new Resets(options);
  }

  /** Resets need histories. Queries, updates and cancels may name an earlier, closed run: its rows are read first. */
  speak(actor: Actor, message: Message, done: Done<Reply>, extras?: TurnExtras): void {
    if (message.type === 'reset') {
      this.#resets.speak(actor, message, done);
      return;
    }
    const runId = this.#aboutRun(actor, message);
    if (!runId || runId === this.#options.core.currentRunId(actor.state)) {
      this.#options.executor().run(actor, message, done, extras);
      return;
    }
    const readRun = (): void => this.#speakOfEarlier(actor, runId, message, done, extras);
    // The turn that closed that run may be the pending one: until it is durable, rows still show the run open.
    if (actor.pending === undefined) readRun();
    else actor.pending.wait({ durable: readRun, failed: (why) => done(perhapsFor(message, why), undefined) });
  }

  /** The run of the chain that a message is about, if it is about any one. */
  #aboutRun({ state }: Actor, message: Message): string | undefined {
    return namedRun(message) || this.#options.core.earlierRunOf(state, message);
  }

  #speakOfEarlier(
    actor: Actor,
    runId: string,
    message: Message,
    done: Done<Reply>,
    extras: TurnExtras | undefined,
  ): void {
    const { namespace, workflowId } = actor;
    this.#options.reads.rowsOf(actor, runId).then(
      (rows) =>
        this.#options.actors.with(namespace, workflowId, {
          run: (live) => {
            const receipt = extras?.receipt;
            if (receipt !== undefined && live.shard.inbox(receipt.source).has(receipt.seq)) {
              // The same message came again while rows were read, and was quicker.
              done(unavailable(`Message ${receipt.seq} of shard ${receipt.source} is being applied.`, 'no'), undefined);
              return;
            }
            if (rows.length > 0) this.#options.core.adopt(live.state, runId, rows);
            // Runs may have followed each other meanwhile, and it is about another one now.
            if (this.#aboutRun(live, message) !== runId) this.speak(live, message, done, extras);
            else this.#options.executor().run(live, message, done, extras);
          },
          refuse: (why) => done(perhapsFor(message, why), undefined),
        }),
      (error: unknown) => {
        this.#options.onReadFailed(error);
        const why = unavailable(`Run ${runId} of workflow ${workflowId} cannot be read: ${messageOf(error)}`, 'no');
        done(perhapsFor(message, why), undefined);
      },
    );
  }

  /** A task that waits, for a claim that matching lent. */
  start(task: Omit<WaitingTask, 'key'>, claim: Claim, settled: (outcome: 'started' | 'gone' | 'later') => void): void {
    const { namespace, workflowId, runId, scheduledEventId, attempt, queue } = task;
    this.#options.actors.with(namespace, workflowId, {
      run: (actor) => {
        const executor = this.#options.executor();
        const taker = executor.taker(actor.shard, claim);
        const message: Message =
          queue.kind === 'workflow'
            ? { type: 'startWorkflowTask', runId, scheduledEventId, attempt, taker, sticky: claim.sticky }
            : { type: 'startActivityTask', runId, scheduledEventId, attempt, taker };
        executor.run(
          actor,
          message,
          (error) => {
            if (error === undefined) settled('started');
            else settled(error.detail?.kind === 'Unavailable' ? 'later' : 'gone');
          },
          { claim },
        );
      },
      // A damaged workflow starts nothing: its task must not be tried first for ever, with those behind it waiting.
      refuse: ({ code }) => settled(code === StatusCode.DATA_LOSS ? 'gone' : 'later'),
    });
  }

  /** A timer row is due. */
  fire(timer: DueTimer, again: () => void): void {
    if (!this.#options.isServing()) {
      again();
      return;
    }
    if (this.#options.settings.fire(timer, again)) return;
    if (timer.retention !== undefined) {
      this.#options.retention.end(timer, again);
      return;
    }
    this.#options.actors.with(timer.namespace, timer.workflowId, {
      run: (actor) => {
        const { armed } = actor;
        if (armed !== undefined && (armed.key === undefined || armed.key === timer.key)) actor.armed = undefined;
        const now = actor.shard.now(this.#options.clock.now());
        const due = this.#options.core.nextDeadline(actor.state);
        const message = due !== undefined && due <= now ? ({ type: 'timer' } as const) : undefined;
        this.#options.executor().run(actor, message, (error) => (applied(error) ? undefined : again()), {
          rows: [[timer.key, undefined]],
        });
      },
      refuse: again,
    });
  }

  /** A message from another actor's outbox; applied at most once, whatever repeats. */
  receive(item: ShardMessage, done: (outcome: ShardMessageOutcome) => void): void {
    const { namespace, workflowId, message, source, seq } = item;
    this.#options.actors.with(namespace, workflowId, {
      run: (actor) => {
        if (actor.shard.inbox(source).has(seq)) {
          // Applied before; it may go only once that is durable.
          done(actor.shard.committedReceived.get(source)?.has(seq) === true ? 'applied' : 'later');
          return;
        }
        const receipt = { source, seq };
        this.speak(actor, message, (error) => done(applied(error) ? 'applied' : 'later'), { receipt });
      },
      refuse: () => done('later'),
    });
  }

  /** A row that belongs to no actor goes. */
  deleteRow(shard: Shard, row: Key): void {
    const turn = new Turn(new Actor(shard, '', '', this.#options.core.empty('', '')));
    turn.write(row, undefined);
    turn.seal();
    this.#options.committer.join(turn);
  }
}

/** The run a message names that can be about a closed one. */
function namedRun(message: Message): string | undefined {
  switch (message.type) {
    case 'query':
    case 'requestCancel':
    case 'update':
    case 'pollUpdate':
    case 'deleteExecution':
      return message.target.runId;
    case 'cancelExternal':
      return message.runId;
    default:
      return undefined;
  }
}
