// A process of readers of one workflow's published state (state-readers.ts): so many over so many connections, with the SDK's `watchState`, or lean.
// Notes for each change when it came, and says so when all of its readers have seen it.

import { Client, Connection } from 'tenuto/client';
import { decode } from '../../src/wire/codec.ts';
import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import { answerInside } from '../lib/inside.ts';
import { answerOf, connectLean, type LeanConnection } from './lean-connection.ts';
import type { FromReaders, ReadersSettings } from './state-readers.ts';

/** That the workflow publishes (workflows.ts). */
const KEY = 'n';
const WAIT_MS = 600_000;
const nowMs = (): number => performance.timeOrigin + performance.now();

const send = (message: FromReaders): void => void process.send?.(message);

/** What readers have seen of the change under way; changes come one after the other. */
class Seen {
  readonly #readers: number;
  #receivedAtMs: number[] = [];
  #change = 0;

  constructor(readers: number) {
    this.#readers = readers;
  }

  /** By so many readers that hang on one connection. */
  see(change: number, receivedAtMs: number, readers: number): void {
    if (change !== this.#change)
      throw new Error(`change ${change} was seen when change ${this.#change} was to be, by ${this.#readers} readers`);
    for (let n = 0; n < readers; n += 1) this.#receivedAtMs.push(receivedAtMs);
    if (this.#receivedAtMs.length > this.#readers) throw new Error(`a reader saw change ${change} twice`);
    if (this.#receivedAtMs.length < this.#readers) return;
    send({ say: 'seen', change, receivedAtMs: this.#receivedAtMs });
    this.#receivedAtMs = [];
    this.#change += 1;
  }
}

async function read(settings: ReadersSettings): Promise<void> {
  const { address, workflowId, connections, readers } = settings;
  const seen = new Seen(readers);
  const lean = settings.by === 'sdk' ? undefined : new LeanReaders(settings, seen);
  for (let n = 0; n < connections; n += 1) {
    const share = Math.floor(readers / connections) + (n < readers % connections ? 1 : 0);
    await (lean === undefined ? readBySdk(address, workflowId, share, seen) : lean.add(address, share));
  }
  send({ say: 'connected' });
}

async function readBySdk(address: string, workflowId: string, readers: number, seen: Seen): Promise<void> {
  const connection = await Connection.connect({ address });
  const handle = new Client({ connection }).workflow.getHandle(workflowId);
  const watch = async (): Promise<void> => {
    for await (const { value } of handle.watchState<number>()) seen.see(value, nowMs(), 1);
  };
  for (let n = 0; n < readers; n += 1) watch().catch(fail);
}

interface Received {
  readonly connection: LeanConnection;
  readonly frame: Uint8Array;
  readonly receivedAtMs: number;
  readonly readers: number;
}

/** What comes is looked into, and where they poll asked for again, once all connections have theirs: until then nothing but their times is noted. */
class LeanReaders {
  readonly #workflowId: string;
  readonly #connections: number;
  readonly #polls: boolean;
  readonly #seen: Seen;
  #received: Received[] = [];

  constructor({ workflowId, connections, by }: ReadersSettings, seen: Seen) {
    this.#workflowId = workflowId;
    this.#polls = by === 'polls';
    this.#connections = connections;
    this.#seen = seen;
  }

  async add(address: string, readers: number): Promise<void> {
    const connection: LeanConnection = await connectLean(
      address,
      (frame) => {
        this.#received.push({ connection, frame, receivedAtMs: nowMs(), readers });
        if (this.#received.length === this.#connections) setImmediate(() => this.#lookIn());
      },
      fail,
    );
    this.#ask(connection, undefined, 1);
  }

  #lookIn(): void {
    const received = this.#received;
    this.#received = [];
    for (const { connection, frame, receivedAtMs, readers } of received) {
      // The server's own answer and bytes.
      const page = answerOf(frame) as { runId: string; events: Uint8Array[] };
      const last = page.events.flatMap((batch) => decode(batch) as HistoryEvent[]).at(-1);
      if (last?.eventType !== EventType.MARKER_RECORDED) throw new Error('an answer without news');
      if (this.#polls) this.#ask(connection, page.runId, last.eventId + 1);
      const data = last.attributes.details?.[KEY]?.payloads?.[0]?.data;
      this.#seen.see(JSON.parse(new TextDecoder().decode(data ?? undefined)) as number, receivedAtMs, readers);
    }
  }

  #ask(connection: LeanConnection, runId: string | undefined, fromEventId: number): void {
    const place = { namespace: 'default', workflowId: this.#workflowId, runId, fromEventId };
    if (!this.#polls) connection.ask('watchWorkflowState', 0, place);
    else connection.ask('getWorkflowExecutionHistory', WAIT_MS, { ...place, waitNewEvent: true, stateOnly: true });
  }
}

function fail(why: unknown): void {
  send({ say: 'failed', why: why instanceof Error ? why.message : String(why) });
}

answerInside();
process.on('message', (message) => {
  if (typeof message !== 'object' || message === null || !('readers' in message)) return;
  read(message as ReadersSettings).catch(fail);
});
process.on('uncaughtException', fail);
process.on('disconnect', () => process.exit(0));
