// A V8 CPU profile (.cpuprofile) as a tree of calls with their time, and as sums by function and by folder. Pure.

import { z } from 'zod';

export interface CallFrame {
  readonly name: string;
  /** File and line, from the project's folder; '' for what is V8's own. */
  readonly where: string;
}

export interface Call extends CallFrame {
  selfMs: number;
  totalMs: number;
  readonly children: Map<string, Call>;
}

export interface CpuProfile {
  /** What ran: a root without a name. Idle time is not in it. */
  readonly root: Call;
  readonly idleMs: number;
}

const frame = z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() });
const profile = z.object({
  nodes: z.array(z.object({ id: z.number(), callFrame: frame, children: z.array(z.number()).optional() })),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

export type RawFrame = z.infer<typeof frame>;

const IDLE = '(idle)';
const US_PER_MS = 1_000;

/** @param root the project's folder, as files in it begin */
export function frameOf({ functionName, url, lineNumber }: RawFrame, root: string): CallFrame {
  const file = url.startsWith('file://') ? decodeURI(url.slice('file://'.length)) : url;
  const short = file.startsWith(`${root}/`) ? file.slice(root.length + 1) : file;
  return {
    name: functionName === '' ? '(anonymous)' : functionName,
    where: short === '' ? '' : `${short}:${lineNumber + 1}`,
  };
}

/** @throws Error for a text that is no CPU profile */
export function readCpuProfile(text: string, root: string): CpuProfile {
  const { nodes, samples, timeDeltas } = profile.parse(JSON.parse(text));
  const selfMs = new Map<number, number>();
  // A sample stands for the time until the next.
  samples.forEach((id, i) => {
    selfMs.set(id, (selfMs.get(id) ?? 0) + Math.max(0, timeDeltas[i + 1] ?? 0) / US_PER_MS);
  });
  const byId = new Map(nodes.map((node) => [node.id, node]));
  let idleMs = 0;
  // Parents come before their children; the first is V8's `(root)`.
  const [first] = nodes;
  const tree: Call = { name: '', where: '', selfMs: 0, totalMs: 0, children: new Map() };
  const add = (into: Call, ids: readonly number[]): void => {
    for (const id of ids) {
      const node = byId.get(id);
      if (node === undefined) continue;
      const own = selfMs.get(id) ?? 0;
      const at = frameOf(node.callFrame, root);
      if (at.name === IDLE && at.where === '') {
        idleMs += own;
        continue;
      }
      const key = `${at.name} ${at.where}`;
      let call = into.children.get(key);
      if (call === undefined) {
        call = { ...at, selfMs: 0, totalMs: 0, children: new Map() };
        into.children.set(key, call);
      }
      call.selfMs += own;
      add(call, node.children ?? []);
    }
  };
  add(tree, first?.children ?? []);
  sumUp(tree);
  return { root: tree, idleMs };
}

function sumUp(call: Call): number {
  call.totalMs = call.selfMs;
  for (const child of call.children.values()) call.totalMs += sumUp(child);
  return call.totalMs;
}

export interface Share extends CallFrame {
  readonly selfMs: number;
}

/** Self time by what `keyOf` makes of a call, most first. */
function sums(root: Call, of: (call: CallFrame) => CallFrame): Share[] {
  const found = new Map<string, { name: string; where: string; selfMs: number }>();
  const walk = (call: Call): void => {
    const { name, where } = of(call);
    const key = `${name} ${where}`;
    const sum = found.get(key);
    if (sum === undefined) found.set(key, { name, where, selfMs: call.selfMs });
    else sum.selfMs += call.selfMs;
    for (const child of call.children.values()) walk(child);
  };
  for (const child of root.children.values()) walk(child);
  return [...found.values()].filter(({ selfMs }) => selfMs > 0).sort((a, b) => b.selfMs - a.selfMs);
}

export const byFunction = (root: Call): Share[] => sums(root, ({ name, where }) => ({ name, where }));

export const byFolder = (root: Call): Share[] => sums(root, (call) => ({ name: folderOf(call), where: '' }));

/** `dist/src/shard`, `node_modules/ws`, `node:internal/streams`; what has no file is its own. */
export function folderOf({ name, where }: CallFrame): string {
  if (where === '') return name;
  const file = where.replace(/:\d+$/, '');
  const [, dependency] = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? [];
  if (dependency !== undefined) return `node_modules/${dependency}`;
  const slash = file.lastIndexOf('/');
  return slash < 0 ? file : file.slice(0, slash);
}
