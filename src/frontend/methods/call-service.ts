// Calls of Temporal's API in its own messages, for clients that have these: handed to the gRPC door's table (../grpc/calls.ts), which does what it does
// for calls of its own. Who may is this connection's token to say, or the request's.

import type { CallServiceRequest } from '../../wire/server.ts';
import { method } from '../door.ts';
import { unimplemented } from '../statuses.ts';
import { bytes, object, Refused, string } from '../validate/check.ts';

export const callService = method(
  object<CallServiceRequest>({ service: string, method: string, request: bytes }),
  ({ rpcs }, caller, request, call) => {
    if (rpcs === undefined) throw new Refused(unimplemented('This server does not serve that API.'));
    rpcs.call(request, caller, call);
  },
  // Each method has its own; it begins when the call does.
  { defaultTimeoutMs: Number.POSITIVE_INFINITY },
);
