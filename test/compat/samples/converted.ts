// Workflows whose values need a converter of their own: dates and numbers of any size in what they get and give, and messages of Protocol Buffers.

import { ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import { foo, type ProtoInput, type ProtoResult } from './protos.ts';

const { when, protoActivity } = proxyActivities<typeof import('./converted-activities.ts')>({
  startToCloseTimeout: '1 minute',
  retry: { maximumAttempts: 1 },
});

export interface User {
  id: string;
  hp: bigint;
  born: Date;
}

export async function dated(user: User): Promise<{ isDate: boolean; success: string; at: Date; hp: bigint }> {
  const at = await when(user.born);
  return { isDate: user.born instanceof Date, success: typeof user.hp, at, hp: user.hp + 1n };
}

export async function protobufs(input: ProtoInput): Promise<ProtoResult> {
  const { sentence } = await protoActivity(input);
  return foo.result.create({ sentence: `${sentence} And ${input.age}.` });
}

export async function leaks(secret: string): Promise<void> {
  throw ApplicationFailure.create({ message: `not even ${secret}`, nonRetryable: true, details: [secret] });
}
