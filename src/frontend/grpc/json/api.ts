// The Temporal HTTP API: protojson over HTTP, by the annotations of the protos (routes.ts), through the same calls as gRPC (../dispatch.ts), so that both
// check, refuse and do the same. Errors are google.rpc.Status as JSON. Bodies are bounded; whose page may call is the HTTP port's to decide.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Status, StatusCode } from '../../../wire/status.ts';
import { decodedBytes } from '../../admission.ts';
import { invalid } from '../../validate/check.ts';
import type { Dispatcher } from '../dispatch.ts';
import { codecNamed, codecOf } from '../proto/codec.ts';
import { messageType } from '../proto/descriptors.ts';
import { decodeMessage, encodeMessage } from '../proto/message.ts';
import type { Message, Rpc } from '../rpc.ts';
import { type RpcError, rpcError } from '../status.ts';
import { Bodies } from './bodies.ts';
import { parseJson } from './nesting.ts';
import { jsonOf } from './read.ts';
import { type Route, Routes } from './routes.ts';
import { BadJson } from './well-known.ts';
import { bytesOf } from './write.ts';

/** As through gRPC: a larger request is refused. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
/** Of all requests that are not whole yet. */
const MAX_ARRIVING_BYTES = 64 * 1024 * 1024;

/** As google.api has them: https://cloud.google.com/apis/design/errors#handling_errors. */
const HTTP_STATUS: Readonly<Record<number, number>> = {
  [StatusCode.OK]: 200,
  [StatusCode.CANCELLED]: 499,
  [StatusCode.INVALID_ARGUMENT]: 400,
  [StatusCode.DEADLINE_EXCEEDED]: 504,
  [StatusCode.NOT_FOUND]: 404,
  [StatusCode.ALREADY_EXISTS]: 409,
  [StatusCode.PERMISSION_DENIED]: 403,
  [StatusCode.RESOURCE_EXHAUSTED]: 429,
  [StatusCode.FAILED_PRECONDITION]: 400,
  [StatusCode.ABORTED]: 409,
  [StatusCode.OUT_OF_RANGE]: 400,
  [StatusCode.UNIMPLEMENTED]: 501,
  [StatusCode.UNAVAILABLE]: 503,
  [StatusCode.UNAUTHENTICATED]: 401,
};

/** How the caller wants JSON: by the subtypes that Temporal's server knows (`application/json+pretty+no-payload-shorthand`), or by `?pretty`. */
interface Style {
  readonly isShort: boolean;
  readonly indent: number | undefined;
}

export class JsonApi {
  readonly #dispatcher: Dispatcher;
  readonly #routes: Routes;
  readonly #bodies = new Bodies(MAX_BODY_BYTES, MAX_ARRIVING_BYTES);

  constructor(dispatcher: Dispatcher, services: ReadonlyMap<string, ReadonlyMap<string, Rpc>>) {
    this.#dispatcher = dispatcher;
    this.#routes = new Routes(services);
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const [path = '/', queryText = ''] = (request.url ?? '/').split('?', 2);
    const query = new URLSearchParams(queryText);
    const { accept = '' } = request.headers;
    const isPretty = accept.includes('+pretty') || query.has('pretty');
    const style: Style = { isShort: !accept.includes('+no-payload-shorthand'), indent: isPretty ? 2 : undefined };
    const refuse = (status: Status): void => refused(response, rpcError(status), style);
    const found = this.#routes.find(request.method ?? 'GET', path);
    if (found === undefined) {
      refuse({ code: StatusCode.NOT_FOUND, message: 'Not Found' });
      return;
    }
    if (found === 'wrongVerb') {
      refuse({ code: StatusCode.UNIMPLEMENTED, message: 'Method Not Allowed' });
      return;
    }
    const { route, params } = found;
    if (!route.hasBody) {
      this.#run(request, response, route, style, queryText.length, () => inTree(params, query));
      return;
    }
    this.#bodies.read(request, (body) => {
      if (typeof body !== 'string')
        this.#run(request, response, route, style, body.length, () => inTree(params, undefined, parsed(body)));
      else refuse({ code: StatusCode.RESOURCE_EXHAUSTED, message: REFUSED_BODIES[body] });
    });
  }

  #run(
    request: IncomingMessage,
    response: ServerResponse,
    route: Route,
    style: Style,
    requestBytes: number,
    given: () => object,
  ): void {
    // The body goes once it is read: calls may wait long.
    let tree = given;
    let ofValues = 0;
    const call = this.#dispatcher.dispatch(
      {
        name: route.name,
        rpc: route.rpc,
        ...{ timeoutMs: undefined, requestBytes },
        header: (name) => {
          const value = request.headers[name];
          return Array.isArray(value) ? value[0] : value;
        },
        decode: () => {
          const once = tree;
          tree = nothing;
          return decoded(route, once, (values) => {
            ofValues = decodedBytes(values);
          });
        },
        get decodedBytes() {
          return ofValues;
        },
      },
      {
        answered: (body) => {
          const bytes = encodeMessage(codecOf(route.response), body);
          send(response, 200, jsonOf(route.response, bytes, style.isShort), style);
        },
        failed: (error) => refused(response, error, style),
      },
    );
    if (call !== undefined) response.once('close', () => call.giveUp());
  }
}

/** Throws Refused for what its caller wrote. */
function decoded(route: Route, tree: () => object, told: (values: number) => void): Message {
  try {
    return decodeMessage(codecOf(route.request), bytesOf(route.request, tree()), told);
  } catch (error) {
    if (error instanceof BadJson) throw invalid(error.message);
    throw error;
  }
}

function parsed(body: Buffer): object {
  if (body.length === 0) return {};
  let json: unknown;
  try {
    json = parseJson(body.toString('utf8'));
  } catch (error) {
    if (error instanceof BadJson) throw error;
    throw new BadJson(`the body is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new BadJson('the body is no object');
  return json;
}

/** What path and query say, in the request's fields; dots go into messages. The path wins over the body. */
function inTree(params: Record<string, string>, query: URLSearchParams | undefined, body: object = {}): object {
  const tree = { ...body } as Message;
  const given = new Map<string, string[]>();
  for (const [key, value] of query ?? []) {
    const values = given.get(key);
    if (values === undefined) given.set(key, [value]);
    else values.push(value);
  }
  for (const [key, values] of given) if (key !== 'pretty') put(tree, key, values.length === 1 ? values[0] : values);
  for (const [field, value] of Object.entries(params)) put(tree, field, value);
  return tree;
}

function put(tree: Message, path: string, value: unknown): void {
  const names = path.split('.').map(camel);
  const last = names.pop() ?? '';
  let at = tree;
  for (const name of names) {
    const inner = Object.hasOwn(at, name) ? at[name] : undefined;
    const next = typeof inner === 'object' && inner !== null ? { ...inner } : {};
    Object.defineProperty(at, name, { value: next, enumerable: true, configurable: true, writable: true });
    at = next;
  }
  Object.defineProperty(at, last, { value, enumerable: true, configurable: true, writable: true });
}

const camel = (name: string): string => name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

const nothing = (): object => ({});

const REFUSED_BODIES = {
  tooLarge: `A request has at most ${MAX_BODY_BYTES} bytes.`,
  tooMany: `Requests that are not whole yet take more than ${MAX_ARRIVING_BYTES} bytes: try again later.`,
} as const;

function refused(response: ServerResponse, { code, message, anys }: RpcError, style: Style): void {
  const bytes = encodeMessage(codecNamed(RPC_STATUS), { code, message, details: anys });
  const { details = [] } = jsonOf(messageType(RPC_STATUS), bytes, style.isShort) as { details?: unknown[] };
  send(response, HTTP_STATUS[code] ?? 500, { code, message, details }, style);
}

const RPC_STATUS = 'google.rpc.Status';

function send(response: ServerResponse, status: number, body: unknown, { indent }: Style): void {
  if (response.headersSent || response.destroyed) return;
  const bytes = Buffer.from(JSON.stringify(body, undefined, indent));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  response.end(bytes);
}
