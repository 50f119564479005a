// One client's connection: handshake, requests in, answers and pushes out, its workers, its bounds (I9). Knows no socket: a Wire
// carries its messages, so the in-process door and every test run the same code. Never throws for what a peer sends.

import type { TaskKind } from '../../ports/matching.ts';
import type { PushTopic } from '../../wire/api.ts';
import { decode, encode, encodeBriefly } from '../../wire/codec.ts';
import { CAPABILITIES, FrameKind, MAX_MESSAGE_BYTES, type Welcome } from '../../wire/frame.ts';
import type { Status } from '../../wire/status.ts';
import { StatusCode } from '../../wire/status.ts';
import type { RegisterWorkerRequest } from '../../wire/worker-session.ts';
import { decodedBytes } from '../admission.ts';
import type { Administration, CallClass, Caller, MethodDefinition } from '../door.ts';
import type { Access } from '../namespaces.ts';
import { deadlineExceeded, exhausted, unavailable, unimplemented } from '../statuses.ts';
import { Refused } from '../validate/check.ts';
import type { MapWatcher } from './cluster-watch.ts';
import type { DoorContext } from './context.ts';
import { helloOf } from './hello.ts';
import { type CallOwner, OpenCall } from './open-call.ts';
import { Outbox } from './outbox.ts';
import { partFrame } from './part-frame.ts';
import { requestCaller } from './request-caller.ts';
import { type SkimmedFrame, skim } from './skim.ts';
import { CloseCode, type Wire } from './wire.ts';
import { ConnectionWorkers } from './workers.ts';

type State = 'hello' | 'open' | 'closed';

interface Admitted {
  call: OpenCall;
  callClass: CallClass;
  /** As it came, if it did. */
  metadata: unknown;
}

export class Connection implements Caller, CallOwner, MapWatcher {
  readonly #context: DoorContext;
  readonly #wire: Wire;
  readonly #outbox: Outbox;
  readonly #workers: ConnectionWorkers;
  readonly #calls = new Map<number, OpenCall>();
  /** Calls with a part that was not sent, since too much is unread. */
  readonly #laterParts = new Map<OpenCall, () => void>();
  readonly openedAt: number;
  #state: State = 'hello';
  #access: Access | undefined;
  #earliestDeadline = Number.POSITIVE_INFINITY;
  /** Monotonic ms of the last byte from the peer. */
  #heardAt: number;
  #pinged = false;
  /** Since when reading is paused for a peer that does not read, monotonic ms. */
  #pausedAt: number | undefined;
  #goingAway = false;

  constructor(context: DoorContext, wire: Wire) {
    this.#context = context;
    this.#wire = wire;
    this.openedAt = context.services.clock.monotonic();
    this.#heardAt = this.openedAt;
    this.#outbox = new Outbox(wire, context.scheduler, () => this.#workers.writeDurable());
    this.#workers = new ConnectionWorkers(context.services.workers, context.limits.workersPerConnection, {
      connection: this,
      isWritable: () => this.#isWritable(),
      push: (topic, body) => this.#push(topic, body),
      wake: () => this.#outbox.wake(),
    });
  }

  /** Or is over without. */
  get hasSaidHello(): boolean {
    return this.#state !== 'hello';
  }

  get openCalls(): number {
    return this.#calls.size;
  }

  /** Nothing left to say to it: for a drain. */
  get quiet(): boolean {
    if (this.#state === 'closed') return true;
    if (this.#outbox.bytes > 0) return false;
    // Long waits are asked again on another connection: nobody waits for them here.
    for (const call of this.#calls.values()) if (!call.longWait) return false;
    return true;
  }

  // ---------------------------------------------------------------- from the wire

  /** One binary message. */
  receive(message: Uint8Array): void {
    if (this.#state === 'closed') return;
    this.alive();
    this.#context.metrics.messageIn(message.length);
    const { frames, broken } = skim(message);
    for (const frame of frames) {
      this.#frame(message, frame);
      if (this.#isClosed()) return;
    }
    if (broken !== undefined) this.#malformed(broken.reason, broken.id);
  }

  /** Any sign of life, a pong too. */
  alive(): void {
    this.#heardAt = this.#context.services.clock.monotonic();
    this.#pinged = false;
  }

  /** The wire has written something out. */
  drained(): void {
    this.#sendLaterParts();
    if (this.#pausedAt === undefined || this.#outbox.bytes > this.#context.limits.outgoingPauseBytes / 2) return;
    this.#pausedAt = undefined;
    this.#wire.resume();
    this.#workers.resumed();
  }

  /** The wire is gone. */
  closed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#outbox.close();
    for (const call of this.#calls.values()) {
      this.#ended(call, 'gone');
      call.giveUp();
    }
    this.#calls.clear();
    this.#workers.gone();
    this.#context.clusterWatch?.remove(this);
  }

  close(code: number, reason: string): void {
    if (this.#state === 'closed') return;
    // What was answered in this tick still leaves.
    if (this.#outbox.bytes <= this.#context.limits.outgoingCloseBytes) this.#outbox.flush();
    this.closed();
    // A close frame carries at most 123 bytes of reason.
    this.#wire.close(code, reason.length > 120 ? `${reason.slice(0, 117)}...` : reason);
  }

  /** The node is about to go: open requests are answered, new ones belong elsewhere. */
  goAway(reason: string): void {
    if (this.#state !== 'open' || this.#goingAway) return;
    this.#goingAway = true;
    this.#workers.leave();
    this.#outbox.add(encode([FrameKind.GOAWAY, reason]));
  }

  /** Called a few times a second. */
  look(now: number): void {
    const { limits } = this.#context;
    if (this.#state === 'hello') {
      if (now - this.openedAt >= limits.helloTimeoutMs) this.close(CloseCode.POLICY, 'no hello in time');
      return;
    }
    if (now >= this.#earliestDeadline) this.#expire(now);
    this.#watchReader(now);
    this.#sendLaterParts();
    if (this.#wire.ping === undefined || this.#pausedAt !== undefined) return;
    const silence = now - this.#heardAt;
    if (silence >= 2 * limits.idleMs) this.close(CloseCode.GOING_AWAY, `no sign of life for ${2 * limits.idleMs} ms`);
    else if (silence >= limits.idleMs && !this.#pinged) {
      this.#pinged = true;
      this.#wire.ping();
    }
  }

  // ---------------------------------------------------------------- Caller

  mayUse(namespace: string): boolean {
    return this.#access?.mayUse(namespace) ?? false;
  }

  get administration(): Administration {
    return this.#access?.administration ?? 'denied';
  }

  registerWorker(request: RegisterWorkerRequest): void {
    if (this.#goingAway) throw new Refused(unavailable('The node is going away.', 'no'));
    this.#workers.register(request);
  }

  leaveWorker(workerId: string): void {
    this.#workers.leaveOne(workerId);
  }

  grantCredit(workerId: string, workflow: number, activity: number): boolean {
    return this.#workers.grant(workerId, workflow, activity);
  }

  limitActivities(workerId: string, perSecond: number | undefined): boolean {
    return this.#workers.limitActivities(workerId, perSecond);
  }

  withdrawCredit(workerId: string, kind: TaskKind, credit: number): number | undefined {
    return this.#workers.withdraw(workerId, kind, credit);
  }

  resumeWorker(workerId: string, heldTokens: readonly Uint8Array[]): boolean {
    return this.#workers.resume(workerId, heldTokens);
  }

  watchCluster(): void {
    if (!this.#workers.capabilities.has('cluster')) {
      throw new Refused({
        code: StatusCode.FAILED_PRECONDITION,
        message: 'Watching the cluster takes capability cluster: name it in hello.',
      });
    }
    this.#context.clusterWatch?.add(this);
  }

  taskAnswered(token: Uint8Array, kind: 'workflow' | 'activity', queryId: string | undefined, credit: number): void {
    this.#workers.answered(token, kind, queryId, credit);
  }

  // ---------------------------------------------------------------- MapWatcher

  pushMap(frame: Uint8Array): boolean {
    if (!this.#isWritable()) return this.#state !== 'open';
    this.#context.metrics.pushed('clusterMap');
    this.#outbox.add(frame);
    return true;
  }

  // ---------------------------------------------------------------- CallOwner

  answered(call: OpenCall, body: object): void {
    this.#ended(call, 'ok');
    this.#calls.delete(call.id);
    if (call.id !== 0) this.#write([FrameKind.RESPONSE, call.id, body]);
  }

  part(call: OpenCall, part: Uint8Array, again: () => void): boolean {
    if (this.#outbox.bytes > this.#context.limits.unreadBytesBeforeParts) {
      this.#laterParts.set(call, again);
      return false;
    }
    this.#outbox.add(partFrame(call.id, part));
    return true;
  }

  refused(call: OpenCall, status: Status): void {
    this.#ended(call, status.code);
    this.#calls.delete(call.id);
    if (call.id !== 0) this.#write([FrameKind.ERROR, call.id, status]);
  }

  // ---------------------------------------------------------------- inside

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #frame(message: Uint8Array, frame: SkimmedFrame) {
    if (frame.problem !== undefined) return this.#malformed(frame.problem, frame.id);
    if (this.#state === 'hello') return this.#hello(message.subarray(frame.start, frame.end));
    switch (frame.kind) {
      case FrameKind.REQUEST:
        return this.#request(decode(message.subarray(frame.start, frame.end)), frame);
      case FrameKind.CANCEL:
        return this.#cancel(frame.id);
      default:
        return this.close(CloseCode.PROTOCOL_ERROR, `a client sends no frame of kind ${frame.kind} here`);
    }
  }

  /** An error for the request when it is known, else the end: the peer does not speak this protocol. */
  #malformed(reason: string, id: number | undefined): void {
    if (this.#state === 'open' && id !== undefined && id !== 0 && !this.#calls.has(id)) {
      const status = { code: StatusCode.INVALID_ARGUMENT, message: `Malformed frame: ${reason}.` };
      this.#write([FrameKind.ERROR, id, status]);
    } else {
      this.close(CloseCode.INVALID_DATA, `malformed frame: ${reason}`);
    }
  }

  #hello(bytes: Uint8Array): void {
    const { services, namespaces, limits } = this.#context;
    const result = helloOf(decode(bytes), namespaces);
    if ('refusal' in result) {
      this.#outbox.add(encode([FrameKind.ERROR, 0, result.refusal]));
      this.close(CloseCode.POLICY, result.refusal.message);
      return;
    }
    const { hello, access } = result;
    this.#access = access;
    this.#state = 'open';
    const understood = hello.capabilities.filter(
      (name) => CAPABILITIES.some((known) => known === name) && (name !== 'cluster' || services.cluster !== undefined),
    );
    this.#workers.capabilities = new Set(understood);
    const welcome: Welcome = {
      protocol: result.protocol,
      server: `tenuto/${services.info.version}`,
      nodeId: services.info.nodeId,
      capabilities: understood,
      idleMs: limits.idleMs,
      maxMessageBytes: MAX_MESSAGE_BYTES,
    };
    this.#write([FrameKind.WELCOME, welcome]);
    this.#context.onHello(hello, this.#wire.peer);
    if (this.#context.draining()) this.goAway('the node is shutting down');
  }

  #request(frame: unknown, { id, start, end, values }: SkimmedFrame) {
    if (!Array.isArray(frame) || id === undefined) {
      return this.close(CloseCode.PROTOCOL_ERROR, 'a request needs a non-negative integer id');
    }
    if (id !== 0 && this.#calls.has(id)) {
      return this.close(CloseCode.PROTOCOL_ERROR, `request id ${id} is still open`);
    }
    const [, , name, timeout, body, metadata]: unknown[] = frame;
    if (typeof name !== 'string' || typeof timeout !== 'number' || !(timeout >= 0)) {
      return this.#malformed('a request is [2, id, method, timeoutMs, body]', id);
    }
    const definition = this.#context.methods.get(name);
    const now = this.#context.services.clock.monotonic();
    const timeoutMs = timeout > 0 ? timeout : (definition?.defaultTimeoutMs ?? 0);
    // The method's name is a metric label: only known ones, a peer must not invent them.
    const call = new OpenCall(
      this,
      id,
      definition === undefined ? 'unknown' : name,
      timeoutMs,
      now,
      end - start + decodedBytes(values),
    );
    if (definition === undefined) {
      const status = unimplemented(`Method ${name.slice(0, 100)} is not known to this server.`);
      this.#context.metrics.callEnded(call.method, status.code, 0);
      if (id !== 0) this.#write([FrameKind.ERROR, id, status]);
      return;
    }
    this.#start({ call, callClass: definition.callClass, metadata }, definition, body);
  }

  #start({ call, callClass, metadata }: Admitted, definition: MethodDefinition, body: unknown): void {
    const { admission, limits, metrics, namespaces, services } = this.#context;
    definition.arrived?.(this, body);
    const refusal =
      this.#calls.size >= limits.openCallsPerConnection
        ? exhausted(`This connection has ${this.#calls.size} requests open, its limit.`, 'CONCURRENT_LIMIT')
        : admission.admit(callClass, call.bytes);
    if (refusal !== undefined) {
      metrics.callEnded(call.method, refusal.code, 0);
      if (call.id !== 0) this.#write([FrameKind.ERROR, call.id, refusal]);
      return;
    }
    // A request without an id is not kept: nobody can cancel it, and its answer goes nowhere.
    if (call.id !== 0) {
      this.#calls.set(call.id, call);
      if (call.deadline < this.#earliestDeadline) this.#earliestDeadline = call.deadline;
    }
    try {
      const caller =
        metadata === undefined || metadata === null ? this : requestCaller(this, this.#access, namespaces, metadata);
      definition.run(services, caller, body, call);
    } catch (error) {
      if (error instanceof Refused) call.refuse(error.status);
      else {
        call.refuse({ code: StatusCode.INTERNAL, message: `${call.method} failed inside the server.` });
        this.#context.onFault(error, call.method);
      }
    }
    // Nor would anything end its wait: not its deadline, not the end of this connection.
    if (call.id === 0 && call.longWait && call.giveUp()) this.#ended(call, StatusCode.CANCELLED);
  }

  #cancel(id: number | undefined): void {
    const call = id === undefined ? undefined : this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(call.id);
    this.#ended(call, StatusCode.CANCELLED);
    call.giveUp();
  }

  #sendLaterParts(): void {
    if (this.#laterParts.size === 0 || this.#outbox.bytes > this.#context.limits.unreadBytesBeforeParts) return;
    const later = [...this.#laterParts.values()];
    this.#laterParts.clear();
    for (const again of later) again();
  }

  #ended(call: OpenCall, outcome: 'ok' | 'gone' | StatusCode): void {
    this.#context.admission.ended(call.bytes);
    this.#laterParts.delete(call);
    const code = outcome === 'ok' ? StatusCode.OK : outcome === 'gone' ? StatusCode.CANCELLED : outcome;
    this.#context.metrics.callEnded(call.method, code, this.#context.services.clock.monotonic() - call.startedAt);
  }

  #expire(now: number): void {
    let earliest = Number.POSITIVE_INFINITY;
    for (const call of this.#calls.values()) {
      // A late answer has as long again as anything: the engine answers a plain read at once.
      const deadline = call.late ? Number.POSITIVE_INFINITY : call.deadline;
      if (deadline > now) {
        if (deadline < earliest) earliest = deadline;
      } else if (!call.answerLate()) {
        call.abandon();
        call.refuse(deadlineExceeded(call.method, call.timeoutMs));
      }
    }
    this.#earliestDeadline = earliest;
  }

  #push(topic: PushTopic, body: object): void {
    if (this.#state !== 'open') return;
    this.#context.metrics.pushed(topic);
    this.#write([FrameKind.PUSH, topic, body]);
  }

  #write(frame: readonly unknown[]): void {
    if (this.#state === 'closed') return;
    this.#outbox.add(encodeBriefly(frame));
    const { outgoingPauseBytes, outgoingCloseBytes } = this.#context.limits;
    const bytes = this.#outbox.bytes;
    if (bytes <= outgoingPauseBytes) return;
    if (bytes > outgoingCloseBytes) {
      this.close(CloseCode.TRY_AGAIN_LATER, `${bytes} bytes were not read`);
    } else this.#pause();
  }

  /** A task refused here waits for `drained` to say that it is taken again: so the connection counts as paused from then on. */
  #isWritable(): boolean {
    if (this.#state !== 'open') return false;
    if (this.#outbox.bytes < this.#context.limits.outgoingPauseBytes) return true;
    this.#pause();
    return false;
  }

  #pause(): void {
    if (this.#pausedAt !== undefined) return;
    this.#pausedAt = this.#context.services.clock.monotonic();
    this.#wire.pause();
  }

  #watchReader(now: number): void {
    if (this.#pausedAt === undefined) return;
    this.drained();
    if (this.#pausedAt === undefined || now - this.#pausedAt < this.#context.limits.slowReaderMs) return;
    this.close(CloseCode.TRY_AGAIN_LATER, `nothing was read for ${this.#context.limits.slowReaderMs} ms`);
  }
}
