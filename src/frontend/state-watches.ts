// Who watches what workflows publish, through one door. Watches that have come as far in the same run wait together: one wait of the engine, one
// reading and one encoding serve all of them, however many they are, and on a node that is not the owner one request over the link does.
//
// A watch's place is the event id it wants next. It moves on with what was handed to the connection; one that does not read stays where it is, and
// gets what is the latest by then once it reads again. So it holds no more memory than that (I9), and there is neither gap nor repeat. What a watch
// costs is bounded by the open calls of connection and node.

import type { ActorAddress, Engine, Waiting } from '../ports/engine.ts';
import { decode, encode } from '../wire/codec.ts';
import type { HistoryEvent } from '../wire/event.ts';
import type { GetWorkflowExecutionHistoryResponse, WatchWorkflowStateResponse } from '../wire/history.ts';
import type { Status } from '../wire/status.ts';
import type { Call, Parts } from './door.ts';

/** Of one part, bytes; an event that is larger comes as a whole. */
const PART_BYTES = 1024 * 1024;

type Page = GetWorkflowExecutionHistoryResponse;

interface Place {
  readonly to: ActorAddress;
  readonly runId: string;
  readonly fromEventId: number;
}

/** All watches at one place. */
interface Group {
  readonly id: string;
  readonly place: Place;
  readonly watches: Set<StateWatch>;
  waiting: Waiting | undefined;
}

export class StateWatches {
  readonly #engine: Pick<Engine, 'history'>;
  readonly #groups = new Map<string, Group>();

  constructor(engine: Pick<Engine, 'history'>) {
    this.#engine = engine;
  }

  /** Where somebody waits: each is one wait of the engine. */
  get places(): number {
    return this.#groups.size;
  }

  /** Sends parts until the run has closed, then replies; refuses as the engine does. The first part comes at once, and may have no events. */
  begin(to: ActorAddress, runId: string | undefined, fromEventId: number, call: Call, parts: Parts): Waiting {
    const watch = new StateWatch(call, parts, (group) => this.#left(group));
    watch.looking = this.#engine.history(to, { ...query(fromEventId, false), runId }, (error, page) => {
      if (watch.over) return;
      if (page !== undefined) this.#give([watch], { to, runId: page.runId, fromEventId }, page);
      else if (error !== undefined) watch.refuse(error);
    });
    return watch;
  }

  #at(place: Place): Group {
    const { to, runId, fromEventId } = place;
    const id = `${to.namespace}\0${to.workflowId}\0${runId}\0${fromEventId}`;
    const known = this.#groups.get(id);
    if (known !== undefined) return known;
    const group: Group = { id, place, watches: new Set(), waiting: undefined };
    this.#groups.set(id, group);
    return group;
  }

  #join(watch: StateWatch, group: Group): void {
    watch.group = group;
    group.watches.add(watch);
  }

  /** Once somebody is in it. */
  #wait(group: Group): void {
    if (group.waiting !== undefined) return;
    const { to, runId, fromEventId } = group.place;
    group.waiting = this.#engine.history(to, { ...query(fromEventId, true), runId }, (error, page) => {
      if (this.#groups.get(group.id) !== group) return;
      this.#groups.delete(group.id);
      if (page !== undefined) this.#give(group.watches, group.place, page);
      else if (error !== undefined) for (const watch of group.watches) watch.refuse(error);
    });
  }

  #left(group: Group): void {
    if (group.watches.size > 0 || this.#groups.get(group.id) !== group) return;
    this.#groups.delete(group.id);
    group.waiting?.abandon();
  }

  #give(watches: Iterable<StateWatch>, place: Place, { runId, events, closed, nextEventId }: Page): void {
    const more = nextEventId !== undefined || events.length > 0;
    const body: WatchWorkflowStateResponse = { runId, events, closed: closed && !more };
    if (body.closed) {
      for (const watch of watches) watch.reply(body);
      return;
    }
    const part = encode(body);
    const next = this.#at({ ...place, fromEventId: nextEventId ?? after(events) ?? place.fromEventId });
    for (const watch of watches) {
      watch.group = undefined;
      const again = (): void => {
        if (watch.over) return;
        const group = this.#at(place);
        this.#join(watch, group);
        this.#wait(group);
      };
      if (watch.send(part, again)) this.#join(watch, next);
    }
    if (next.watches.size > 0) this.#wait(next);
    else this.#left(next);
  }
}

/** One caller's. */
class StateWatch implements Waiting {
  over = false;
  /** Undefined until its first part, and while its connection does not read. */
  group: Group | undefined;
  /** For its first part. */
  looking: Waiting | undefined;
  readonly #call: Call;
  readonly #parts: Parts;
  readonly #onLeft: (group: Group) => void;

  constructor(call: Call, parts: Parts, onLeft: (group: Group) => void) {
    this.#call = call;
    this.#parts = parts;
    this.#onLeft = onLeft;
  }

  /** The caller gave up. */
  abandon(): void {
    if (this.over) return;
    this.over = true;
    this.looking?.abandon();
    const { group } = this;
    if (group?.watches.delete(this) === true) this.#onLeft(group);
  }

  send(part: Uint8Array, again: () => void): boolean {
    return !this.over && this.#parts.send(part, again);
  }

  reply(body: WatchWorkflowStateResponse): void {
    this.over = true;
    this.#call.reply(body);
  }

  refuse(status: Status): void {
    this.over = true;
    this.#call.refuse(status);
  }
}

const query = (fromEventId: number, waitNewEvent: boolean) => ({
  ...{ fromEventId, waitNewEvent, maximumBytes: PART_BYTES, closeEventOnly: false, stateOnly: true },
});

/** The id behind the last event. The server's own bytes. */
function after(events: readonly Uint8Array[]): number | undefined {
  const last = events.at(-1);
  const event = last && (decode(last) as HistoryEvent[]).at(-1);
  return event && event.eventId + 1;
}
