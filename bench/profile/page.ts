// What was recorded, as one HTML page that opens from disk and asks nobody for anything: for each thread a flame graph, the functions and folders that
// took the time, and who holds the memory at the end. A click on a box makes it as wide as the page, one on the graph's ground shows all again.

import { html, type Markup, raw } from '../report/markup.ts';
import { STYLE } from '../report/style.ts';
import { byFolder, byFunction, type CpuProfile, type Share } from './call-tree.ts';
import { renderFlame } from './flame.ts';
import type { Holder } from './heap.ts';
import type { ProfiledRole } from './recording.ts';

export interface ProfiledThread {
  readonly role: ProfiledRole;
  readonly pid: number;
  /** 0: the main one. */
  readonly thread: number;
  readonly cpu: CpuProfile;
  readonly heap: readonly Holder[];
}

const MOST_ROWS = 25;
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

const FLAME_STYLE = `
.flame { position: relative; overflow: hidden; margin: 10px 0 16px; cursor: zoom-out; }
.flame i { position: absolute; box-sizing: border-box; height: 17px; padding: 0 3px; overflow: hidden; white-space: nowrap; cursor: zoom-in;
  font: 11px/17px ui-monospace, monospace; color: var(--text); border-radius: 2px; background: color-mix(in srgb, currentColor 12%, var(--card)); }
${[0, 1, 2, 3, 4, 5].map((n) => `.flame .c${n} { background: color-mix(in srgb, var(--c${n}) 30%, var(--card)); }`).join('\n')}
td.text { font-family: ui-monospace, monospace; font-size: 12px; white-space: normal; word-break: break-all; }
`;

/** Boxes keep their place in per cent; zooming stretches them about the one that was clicked. */
const ZOOM = `
for (const flame of document.querySelectorAll('.flame')) {
  const boxes = [...flame.children].map((box) => ({ box, left: parseFloat(box.style.left), width: parseFloat(box.style.width) }));
  flame.addEventListener('click', ({ target }) => {
    const { left, width } = boxes.find(({ box }) => box === target) ?? { left: 0, width: 100 };
    for (const each of boxes) {
      const from = Math.max(0, 100 * (each.left - left) / width);
      const to = Math.min(100, 100 * (each.left + each.width - left) / width);
      each.box.hidden = to - from < 0.05;
      each.box.style.left = from + '%';
      each.box.style.width = Math.max(0, to - from) + '%';
    }
  });
}
`;

export function renderProfile(scenario: string, date: string, threads: readonly ProfiledThread[]): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>Tenuto profile of ${scenario}, ${date}</title>
<style>${raw(STYLE + FLAME_STYLE)}</style>
</head>
<body>
<main>
<h1>Profile of ${scenario}</h1>
<p>${date}. Each process from its start to its end, start-up and warm-up included; idle time left out. A sampled millisecond is one that V8 saw it in.</p>
${threads.map(renderThread)}
</main>
<script>${raw(ZOOM)}</script>
</body>
</html>
`.text;
}

export const nameOfThread = ({ role, pid, thread }: Pick<ProfiledThread, 'role' | 'pid' | 'thread'>): string =>
  `${role} (process ${pid}), ${thread === 0 ? 'main thread' : `thread ${thread}`}`;

function renderThread(thread: ProfiledThread): Markup {
  const { root, idleMs } = thread.cpu;
  return html`<section>
<h2>${nameOfThread(thread)}</h2>
<p class="soft">busy for ${Math.round(root.totalMs)} ms, idle for ${Math.round(idleMs)} ms</p>
${renderFlame(root)}
${renderShares('Time by function', byFunction(root), root.totalMs)}
${renderShares('Time by folder', byFolder(root), root.totalMs)}
${renderHolders(thread.heap)}
</section>`;
}

function renderShares(title: string, shares: readonly Share[], wholeMs: number): Markup {
  return html`<details><summary>${title}</summary><div class="scroll"><table>
<thead><tr><th>${title}</th><th class="number">ms</th><th class="number">%</th></tr></thead>
<tbody>${shares
    .slice(0, MOST_ROWS)
    .map(
      ({ name, where, selfMs }) =>
        html`<tr><td class="text">${where === '' ? name : `${name} (${where})`}</td><td class="number" data-name="ms">${selfMs.toFixed(1)}</td><td class="number" data-name="%">${((100 * selfMs) / wholeMs).toFixed(1)}</td></tr>`,
    )}</tbody></table></div></details>`;
}

function renderHolders(holders: readonly Holder[]): Markup {
  const all = holders.reduce((sum, { bytes }) => sum + bytes, 0);
  return html`<details><summary>Memory held at the end, by who allocated it: ${kib(all)} KiB by samples</summary><div class="scroll"><table>
<thead><tr><th>Allocated by</th><th class="number">KiB</th></tr></thead>
<tbody>${holders
    .slice(0, MOST_ROWS)
    .map(
      ({ name, where, bytes }) =>
        html`<tr><td class="text">${where === '' ? name : `${name} (${where})`}</td><td class="number" data-name="KiB">${kib(bytes)}</td></tr>`,
    )}</tbody></table></div></details>`;
}

export const kib = (bytes: number): string => Math.round(bytes / 1_024).toLocaleString('en-US');
