// A V8 heap profile (.heapprofile): who allocated what is still held at the end, by samples. Pure.

import { z } from 'zod';
import { type CallFrame, frameOf, type RawFrame } from './call-tree.ts';

export interface Holder extends CallFrame {
  readonly bytes: number;
}

interface RawNode {
  callFrame: RawFrame;
  selfSize: number;
  children: RawNode[];
}

const node: z.ZodType<RawNode> = z.lazy(() =>
  z.object({
    callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
    selfSize: z.number(),
    children: z.array(node),
  }),
);
const profile = z.object({ head: node });

/** Most first. @throws Error for a text that is no heap profile */
export function readHeapProfile(text: string, root: string): Holder[] {
  const { head } = profile.parse(JSON.parse(text));
  const found = new Map<string, { name: string; where: string; bytes: number }>();
  const walk = ({ callFrame, selfSize, children }: RawNode): void => {
    const at = frameOf(callFrame, root);
    const key = `${at.name} ${at.where}`;
    const sum = found.get(key);
    if (sum === undefined) found.set(key, { ...at, bytes: selfSize });
    else sum.bytes += selfSize;
    for (const child of children) walk(child);
  };
  walk(head);
  return [...found.values()].filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes);
}
