// `--headers`: what goes along with a start, signal, query or update for the interceptors of the workers (not headers of HTTP or gRPC). The client a
// command gets sends them by itself: connect.ts.

import type { Command } from 'commander';
import type { ClientInterceptors, Headers } from '../../sdk/client/interceptors.ts';
import { defaultPayloadConverter } from '../../sdk/common/index.ts';
import { collect, entry } from './input.ts';

export interface HeaderFlags {
  headers?: string[];
}

export const withHeaders = (command: Command): Command =>
  command.option('--headers <key=json>', 'goes along for the interceptors of workers; repeat for several', collect);

/** @throws UsageError for one that is no `key=JSON`. */
export const headersOf = ({ headers = [] }: HeaderFlags): Headers =>
  Object.fromEntries(
    headers.map((text) => {
      const [key, value] = entry(text, '--headers');
      return [key, defaultPayloadConverter.toPayload(value)];
    }),
  );

/** Interceptors of a client that put these headers on all it sends. */
export function sending(own: Headers): ClientInterceptors {
  const add = <I extends { headers: Headers }>(input: I): I => ({ ...input, headers: { ...input.headers, ...own } });
  return {
    activity: [{ start: (input, next) => next(add(input)) }],
    workflow: [
      {
        startWithDetails: (input, next) => next(add(input)),
        signal: (input, next) => next(add(input)),
        signalWithStart: (input, next) => next(add(input)),
        query: (input, next) => next(add(input)),
        startUpdate: (input, next) => next(add(input)),
        startUpdateWithStart: (input, next) =>
          next({ ...input, workflowStartHeaders: { ...input.workflowStartHeaders, ...own } }),
      },
    ],
  };
}
