// What a failed command tells people to do next.

import { describe, expect, it } from 'vitest';
import { RpcError } from '../../sdk/client/index.ts';
import { perhapsApplied } from '../../sdk/connection/requests.ts';
import { ConnectionRefusedByServer } from '../../sdk/connection/transport.ts';
import { deadlineExceeded } from '../frontend/statuses.ts';
import { StatusCode } from '../wire/status.ts';
import { describeForPeople } from './errors.ts';
import { CommandError, ExitCode } from './exit-codes.ts';

const { DEADLINE_EXCEEDED, UNAVAILABLE } = StatusCode;
const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:7280'), { code: 'ECONNREFUSED' });
const late = (text: string, cause?: Error): RpcError => new RpcError(DEADLINE_EXCEEDED, text, undefined, { cause });
const said = RpcError.fromStatus({ code: UNAVAILABLE, message: 'Shard 7 has no leader.' });

describe('the hint of an unavailable server fits what is there', () => {
  it.each<[string, Error, RegExp]>([
    ['nobody listens', late('no connection to ws://h:1/ within 2000 ms', refused), /^ {2}Is a server running there\?/],
    ['nobody answers at all', late('no connection to ws://h:1/ within 2000 ms'), /^ {2}Is a server running there\?/],
    ['the connection is lost meanwhile', late('x had no answer: there is no connection'), /^ {2}Is a server running/],
    [
      'it takes no connections',
      late('no connection to ws://h:1/', new ConnectionRefusedByServer(503, 'not ready: the store failed')),
      /^ {2}A server is there and takes no connections now/,
    ],
    [
      'it hangs up, as a port for gRPC does',
      late('no connection to ws://h:7233/ within 2000 ms', Object.assign(new Error('hang up'), { code: 'ECONNRESET' })),
      /^ {2}Something answers there, but perhaps no server of this kind, or its port for gRPC/,
    ],
    [
      'it is a server of another kind',
      late('no connection to ws://h:1/', new ConnectionRefusedByServer(404, 'Not Found')),
      /^ {2}Something answers there/,
    ],
    [
      'no worker took a query',
      late('Failed to query', RpcError.fromStatus(deadlineExceeded('queryWorkflow', 29_000))),
      /^ {2}Does a worker listen\?/,
    ],
    [
      'nobody knows what became of a change',
      perhapsApplied('deleteWorkflowExecution', new Error('the connection was lost')),
      /^ {2}It may have been done: look/,
    ],
    ['it said so itself', said, /^ {2}The server is there, and cannot do this now: try again/],
    ['it said so until the time was over', late('x had no answer', said), /^ {2}The server is there, and cannot/],
    [
      'it was silent',
      late('clusterShards had no answer from ws://h:1/ within 10000 ms'),
      /^ {2}The server is there, and was/,
    ],
  ])('%s', (_, error, hint) => {
    expect(describeForPeople(error).at(-1)).toMatch(hint);
  });

  it('of an attribute that nobody registered says how one is', () => {
    const text = "invalid query: column name 'Stepp' is not a valid search attribute";
    const refused = RpcError.fromStatus({ code: StatusCode.INVALID_ARGUMENT, message: text });
    expect(describeForPeople(refused)).toEqual([
      text,
      expect.stringMatching(/^ {2}`tenuto operator search-attribute list` says which there are, .*registers one\.$/),
    ]);
  });

  it('a command that knows better says it itself', () => {
    const error = new CommandError('not done within 1s', { exitCode: ExitCode.UNAVAILABLE });
    expect(describeForPeople(error)).toEqual(['not done within 1s']);
  });
});
