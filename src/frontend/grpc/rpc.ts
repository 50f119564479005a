// What a method of this door is: a request decoded by its descriptor, run as a call, an answer encoded by its descriptor. Most hand a native method's
// body on (`native`), so that both doors check, refuse and do the same.

import type { Method, Methods } from '../../wire/api.ts';
import { again, type Call, type CallClass, type Caller, type Services } from '../door.ts';
import { methods } from '../methods/index.ts';
import { Refused } from '../validate/check.ts';
import { answering } from './altered-call.ts';
import type { Pollers } from './pollers.ts';
import type { Message } from './proto/codec.ts';
import type { RpcError } from './status.ts';

export type { Message } from './proto/codec.ts';

/** What the methods of this door use, beside what those of the native one do. */
export interface RpcServices extends Services {
  readonly pollers: Pollers;
}

export interface RpcCall extends Call {
  /** Not answered yet, and its client still there. */
  readonly isOpen: boolean;
  /** Refuses with details that no status of the engine has. */
  fail(error: RpcError): void;
  /** Of the client, lower case names. */
  header(name: string): string | undefined;
}

export interface Rpc {
  readonly callClass: CallClass;
  /** ms when the caller names no deadline. */
  readonly defaultTimeoutMs: number;
  /** ms after which a call that waits is answered with what there is (`atDeadline`), however long its caller would wait. */
  readonly softTimeoutMs: number | undefined;
  /** Whether a caller whose deadline comes sooner gets that answer shortly before it, instead of DEADLINE_EXCEEDED. */
  readonly answersEarly: boolean;
  /** Checks and runs; may throw Refused. */
  run(services: RpcServices, caller: Caller, request: Message, call: RpcCall): void;
}

export const REQUEST_TIMEOUT_MS = 10_000;

export function rpc(
  run: Rpc['run'],
  options: { callClass?: CallClass; defaultTimeoutMs?: number; softTimeoutMs?: number; answersEarly?: boolean } = {},
): Rpc {
  const { callClass = 'client', defaultTimeoutMs = REQUEST_TIMEOUT_MS, softTimeoutMs, answersEarly = true } = options;
  return {
    callClass,
    defaultTimeoutMs,
    softTimeoutMs,
    answersEarly,
    run(services, caller, request, call) {
      try {
        run(services, caller, request, call);
      } catch (error) {
        if (!(error instanceof Refused) || error.status.detail?.kind !== 'NamespaceNotFound') throw error;
        // It may have been registered just now, at another node: as the methods of the native door.
        services.directory.lookAgain(() => again(() => run(services, caller, request, call), call));
      }
    },
  };
}

/** Fields that are newer than version 1.31.2 of the reference server are told to clients that say who they are: docs/decisions/0067-the-ways-of-the-reference.md. */
export const isNamed = (call: RpcCall): boolean => (call.header('client-name') ?? '') !== '';

/** Runs a method of the native door within another call. */
export function runNative(name: Method, services: RpcServices, caller: Caller, body: object, call: Call): void {
  const definition = methods.get(name);
  if (definition === undefined) throw new Error(`${name} is no method of the native door`);
  definition.arrived?.(caller, body);
  definition.run(services, caller, body, call);
}

const same = (message: object): object => message;

/** The answer of methods that only do something. */
export const nothing = (): object => ({});

/** A method that the native door has too: the request as its body, its answer as the response. */
export function native<M extends Method>(
  name: M,
  body: (request: Message) => object = same,
  answer: (reply: Methods[M]['response'], request: Message, call: RpcCall) => object = same,
  options: { softTimeoutMs?: number } = {},
): Rpc {
  const definition = methods.get(name);
  if (definition === undefined) throw new Error(`${name} is no method of the native door`);
  const { callClass, defaultTimeoutMs } = definition;
  return {
    callClass,
    defaultTimeoutMs,
    softTimeoutMs: options.softTimeoutMs,
    answersEarly: true,
    run: (services, caller, request, call) =>
      runNative(
        name,
        services,
        caller,
        body(request),
        answer === same ? call : answering(call, (reply: Methods[M]['response']) => answer(reply, request, call)),
      ),
  };
}

/** A field that is a message. */
export const part = (message: Message, name: string): Message => {
  const value = message[name];
  // Decoded by its descriptor: an object that is neither a list nor bytes.
  return typeof value === 'object' && value !== null ? (value as Message) : {};
};

/** The paths of a field mask; undefined where there is none. */
export const mask = (message: Message, name: string): unknown =>
  message[name] === undefined ? undefined : (part(message, name).paths ?? []);

export const text = (message: Message, name: string): string => {
  const value = message[name];
  return typeof value === 'string' ? value : '';
};

export const number = (message: Message, name: string): number => {
  const value = message[name];
  return typeof value === 'number' ? value : 0;
};

export const bytes = (message: Message, name: string): Uint8Array => {
  const value = message[name];
  return value instanceof Uint8Array ? value : EMPTY_BYTES;
};

const EMPTY_BYTES = new Uint8Array(0);

/** The name in a WorkflowType, ActivityType or TaskQueue. */
export const nameIn = (message: Message, field: string): string => text(part(message, field), 'name');
