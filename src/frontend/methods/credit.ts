// The credit that comes with an answer. It counts by arriving: a worker whose answer was refused (a bad command, an overloaded node) has
// its slot free all the same, and sends a repeat without credit. Counted before the turn, so that the next task of the same execution may
// take it in the very same commit.

import { decodeToken } from '../../core/workflow/token.ts';
import type { Caller, MethodDefinition } from '../door.ts';
import { type Check, integer, invalid } from '../validate/check.ts';

/** What an answer gives back: the credit of the one task it ends, or nothing. */
export const answerCredit: Check<number> = (value) => {
  const n = integer(value);
  if (n !== 0 && n !== 1) throw invalid(`An answer gives back 0 or 1 credit, not ${n}.`);
  return n;
};

/** Not checked yet: the body may be anything. */
const fieldOf = (body: unknown, name: string): unknown =>
  typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;

export function answers(kind: 'workflow' | 'activity'): NonNullable<MethodDefinition['arrived']> {
  return (caller: Caller, body: unknown) => {
    const token = kind === 'activity' ? fieldOf(fieldOf(body, 'target'), 'token') : fieldOf(body, 'token');
    if (!(token instanceof Uint8Array)) return;
    caller.taskAnswered(token, kind, undefined, fieldOf(body, 'credit') === 1 ? 1 : 0);
  };
}

export const answersNexus: NonNullable<MethodDefinition['arrived']> = (caller, body) => {
  const token = fieldOf(body, 'token');
  if (token instanceof Uint8Array)
    caller.taskAnswered(token, 'activity', undefined, fieldOf(body, 'credit') === 1 ? 1 : 0);
};

export const answersQuery: NonNullable<MethodDefinition['arrived']> = (caller, body) => {
  const token = fieldOf(body, 'token');
  if (!(token instanceof Uint8Array)) return;
  const queryId = decodeToken(token)?.queryId;
  caller.taskAnswered(token, 'workflow', queryId, fieldOf(body, 'credit') === 1 ? 1 : 0);
};
