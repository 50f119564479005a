// A tree of calls as a flame graph, root on top: boxes as wide as their share of the time, in HTML without a script but for zooming (page.ts). Pure.

import { html, type Markup } from '../report/markup.ts';
import { type Call, folderOf } from './call-tree.ts';

/** Narrower boxes are left out, as shares of the whole: nobody sees them, and a page with all would be megabytes. */
const NARROWEST = 0.001;
const ROW_PX = 18;
const COLOURS = 6;

export interface Box {
  readonly depth: number;
  /** Shares of the whole, 0 to 1. */
  readonly left: number;
  readonly width: number;
  readonly call: Call;
}

/** Widest first among brothers. */
export function boxesOf(root: Call): Box[] {
  const boxes: Box[] = [];
  const place = (parent: Call, from: number, depth: number): void => {
    let left = from;
    for (const call of [...parent.children.values()].sort((a, b) => b.totalMs - a.totalMs)) {
      const width = root.totalMs === 0 ? 0 : call.totalMs / root.totalMs;
      if (width < NARROWEST) return;
      boxes.push({ depth, left, width, call });
      place(call, left, depth + 1);
      left += width;
    }
  };
  place(root, 0, 0);
  return boxes;
}

export function renderFlame(root: Call): Markup {
  const boxes = boxesOf(root);
  const rows = 1 + Math.max(0, ...boxes.map(({ depth }) => depth));
  return html`<div class="flame" style="height:${rows * ROW_PX}px">${boxes.map((box) => renderBox(box, root.totalMs))}</div>`;
}

function renderBox({ depth, left, width, call }: Box, wholeMs: number): Markup {
  const share = (ms: number): string => `${ms.toFixed(1)} ms, ${((100 * ms) / wholeMs).toFixed(1)} %`;
  const title = `${call.name}\n${call.where}\ntotal ${share(call.totalMs)}\nself ${share(call.selfMs)}`;
  const place = `left:${(100 * left).toFixed(3)}%;width:${(100 * width).toFixed(3)}%;top:${depth * ROW_PX}px`;
  return html`<i class="c${colourOf(folderOf(call))}" style="${place}" title="${title}">${call.name}</i>`;
}

/** The same for the same folder. */
export function colourOf(folder: string): number {
  let sum = 0;
  for (let i = 0; i < folder.length; i += 1) sum = (sum * 31 + folder.charCodeAt(i)) % 9_973;
  return sum % COLOURS;
}
