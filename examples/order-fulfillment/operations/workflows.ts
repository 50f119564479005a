// Workflows that operations are tried on: each returns what it was told, so that a client can tell whether all of it came, once and in order.

import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  defineSearchAttributeKey,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  setHandler,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from 'tenuto/workflow';
import type { OperationActivities } from './activities.ts';
import { STAGE_ATTRIBUTE, TASK_TIMEOUT_MS } from './names.ts';

const { work } = proxyActivities<OperationActivities>({
  startToCloseTimeout: '4 seconds',
  retry: { initialInterval: '100 ms', backoffCoefficient: 1.6, maximumInterval: '1 second' },
});
const { third } = proxyActivities<OperationActivities>({
  startToCloseTimeout: '4 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 1 },
});

export const add = defineSignal<[text: string]>('add');
export const close = defineSignal('close');
export const write = defineUpdate<number, [text: string]>('write');
export const move = defineUpdate<string, [stage: string]>('move');
const go = defineSignal<[text: string]>('go');
const post = defineSignal<[text: string]>('post');
const STAGE = defineSearchAttributeKey(STAGE_ATTRIBUTE, 'KEYWORD');

/** Takes notes as updates, each told its place; refuses bad ones. */
export async function notebook(): Promise<string[]> {
  const notes: string[] = [];
  let isClosed = false;
  setHandler(
    write,
    async (text) => {
      const place = notes.push(text);
      if (place % 2 === 0) await work(text);
      return place;
    },
    {
      validator: (text) => {
        if (text.startsWith('bad')) throw ApplicationFailure.nonRetryable(`${text} is refused`, 'Bad');
      },
    },
  );
  setHandler(close, () => {
    isClosed = true;
  });
  await condition(() => isClosed && allHandlersFinished());
  return notes;
}

/** Takes signals over several runs. */
export async function tally(perRun: number, before: string[] = []): Promise<string[]> {
  const texts = [...before];
  let isClosed = false;
  setHandler(add, (text) => {
    texts.push(text);
  });
  setHandler(close, () => {
    isClosed = true;
  });
  await condition(() => isClosed || texts.length >= before.length + perRun);
  return isClosed ? texts : continueAsNew<typeof tally>(perRun, texts);
}

/** Children that tell a board what they are told, one that is left to end with its parent and one to be cancelled then; and a letter to nobody. */
export async function family(members: number, board: string): Promise<{ told: string[]; letter: string }> {
  const { workflowId } = workflowInfo();
  const options = { workflowTaskTimeout: TASK_TIMEOUT_MS };
  const { TERMINATE, REQUEST_CANCEL } = ParentClosePolicy;
  await startChild(lingerer, { ...options, workflowId: `${workflowId}/ends`, parentClosePolicy: TERMINATE });
  await startChild(lingerer, { ...options, workflowId: `${workflowId}/leaves`, parentClosePolicy: REQUEST_CANCEL });
  const told = await Promise.all(
    Array.from({ length: members }, async (_, i) => {
      const child = await startChild(member, { ...options, workflowId: `${workflowId}/${i}`, args: [board] });
      await child.signal(go, `word-${i}`);
      return child.result();
    }),
  );
  let letter = 'arrived';
  try {
    await getExternalWorkflowHandle(`${workflowId}/nobody`).signal(post, 'to nobody');
  } catch {
    letter = 'came back';
  }
  await getExternalWorkflowHandle(board).cancel();
  return { told, letter };
}

export async function member(board: string): Promise<string> {
  let told: string | undefined;
  setHandler(go, (text) => {
    told = told === undefined ? text : `${told}, and again ${text}`;
  });
  await condition(() => told !== undefined);
  const to = getExternalWorkflowHandle(board);
  for (const line of ['first', 'second']) await to.signal(post, `${told} ${line}`);
  return told ?? '';
}

/** Keeps what is posted until it is cancelled. */
export async function board(): Promise<string[]> {
  const posts: string[] = [];
  setHandler(post, (text) => {
    posts.push(text);
  });
  try {
    await condition(() => false);
  } catch (error) {
    if (!isCancellation(error)) throw error;
  }
  return posts;
}

export async function lingerer(): Promise<void> {
  await condition(() => false);
}

/** Shows where it is. */
export async function staged(): Promise<void> {
  let isClosed = false;
  setHandler(move, (stage) => {
    upsertSearchAttributes([{ key: STAGE, value: stage }]);
    return stage;
  });
  setHandler(close, () => {
    isClosed = true;
  });
  await condition(() => isClosed && allHandlersFinished());
}

/** Does what it is told, one after the other. */
export async function errands(): Promise<string[]> {
  const done: string[] = [];
  const waiting: string[] = [];
  let isClosed = false;
  setHandler(add, (text) => {
    waiting.push(text);
  });
  setHandler(close, () => {
    isClosed = true;
  });
  for (;;) {
    await condition(() => waiting.length > 0 || isClosed);
    const next = waiting.shift();
    if (next === undefined) return done;
    done.push(await work(next));
  }
}

/** Succeeds at the third attempt. */
export async function stubborn(): Promise<number> {
  return third();
}
