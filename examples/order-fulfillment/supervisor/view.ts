// The live view. On a terminal a block at the bottom is redrawn and events scroll above it; elsewhere a plain line now and then.

import pc from 'picocolors';
import { ENDINGS, type Ending, STEPS, type Step } from '../model.ts';
import type { Standing } from './desk.ts';

const REDRAW_EVERY_MS = 200;
const PLAIN_EVERY_MS = 2_000;
const BAR_WIDTH = 40;

export interface Progress {
  standings: ReadonlyMap<string, Standing>;
  retries: number;
  faults: number;
  replayed: number;
  kills: number;
  /** Absent: the run has none. */
  operations: number | undefined;
}

export interface Counts {
  total: number;
  waiting: number;
  ended: number;
  steps: Map<Step, number>;
  endings: Map<Ending | 'failed', number>;
}

export function countStandings(standings: ReadonlyMap<string, Standing>): Counts {
  const counts: Counts = { total: standings.size, waiting: 0, ended: 0, steps: new Map(), endings: new Map() };
  const increase = <K>(map: Map<K, number>, key: K) => map.set(key, (map.get(key) ?? 0) + 1);
  for (const standing of standings.values()) {
    switch (standing.phase) {
      case 'waiting':
        counts.waiting += 1;
        break;
      case 'running':
        increase(counts.steps, standing.step);
        break;
      case 'ended': {
        counts.ended += 1;
        const { outcome } = standing;
        increase(counts.endings, outcome.kind === 'result' ? outcome.result.status : 'failed');
        break;
      }
    }
  }
  return counts;
}

export class View {
  readonly #out: NodeJS.WriteStream;
  readonly #startedAt = performance.now();
  #progress: (() => Progress) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #blockLines = 0;
  #progressSince = 0;

  constructor(out: NodeJS.WriteStream = process.stdout) {
    this.#out = out;
  }

  /** Seconds since the demo began, for the eye. */
  get clock(): string {
    return `${((performance.now() - this.#startedAt) / 1000).toFixed(1).padStart(5)}s`;
  }

  /** One line that stays. */
  say(text: string): void {
    this.#clearBlock();
    this.#out.write(`${text}\n`);
    if (this.#out.isTTY && this.#progress) this.#drawBlock();
  }

  /** One line that stays, with the time before it. */
  event(text: string): void {
    this.say(`${pc.dim(this.clock)}  ${text}`);
  }

  begin(progress: () => Progress): void {
    this.#progress = progress;
    this.#progressSince = performance.now();
    const draw = this.#out.isTTY ? () => this.#redraw() : () => this.#plainLine();
    this.#timer = setInterval(draw, this.#out.isTTY ? REDRAW_EVERY_MS : PLAIN_EVERY_MS);
  }

  /** Ends the live part; what was last true stays on the screen. */
  finish(): void {
    if (this.#progress === undefined) return;
    clearInterval(this.#timer);
    if (this.#out.isTTY) this.#redraw();
    else this.#plainLine();
    this.#progress = undefined;
    this.#blockLines = 0;
  }

  #redraw(): void {
    this.#clearBlock();
    this.#drawBlock();
  }

  #clearBlock(): void {
    if (this.#blockLines === 0) return;
    this.#out.write(`\x1b[${this.#blockLines}A\x1b[0J`);
    this.#blockLines = 0;
  }

  #drawBlock(): void {
    if (!this.#progress) return;
    const width = Math.max(40, this.#out.columns ?? 80);
    const lines = blockOf(this.#progress(), (performance.now() - this.#progressSince) / 1000).map((line) =>
      cutTo(line, width),
    );
    this.#out.write(`${lines.join('\n')}\n`);
    this.#blockLines = lines.length;
  }

  #plainLine(): void {
    if (!this.#progress) return;
    const progress = this.#progress();
    const counts = countStandings(progress.standings);
    const parts = [
      `${counts.ended}/${counts.total} ended`,
      `${rateOf(counts, (performance.now() - this.#progressSince) / 1000)} orders/s`,
      ...[...counts.steps].map(([step, count]) => `${count} ${step}`),
      `retries ${progress.retries}`,
      `faults ${progress.faults}`,
      `kills ${progress.kills}`,
      ...(progress.operations === undefined ? [] : [`operations ${progress.operations}`]),
    ];
    this.#out.write(`${this.clock}  ${parts.join(', ')}\n`);
  }
}

function blockOf(progress: Progress, seconds: number): string[] {
  const counts = countStandings(progress.standings);
  const filled = Math.round((BAR_WIDTH * counts.ended) / Math.max(1, counts.total));
  const bar = `${pc.green('█'.repeat(filled))}${pc.dim('░'.repeat(BAR_WIDTH - filled))}`;
  const steps = STEPS.filter((step) => step !== 'done').map((step) => {
    const count = counts.steps.get(step) ?? 0;
    return count > 0 ? `${pc.cyan(String(count))} ${step}` : pc.dim(`0 ${step}`);
  });
  const endings = [...ENDINGS].flatMap((ending) => {
    const count = counts.endings.get(ending);
    return count === undefined ? [] : [`${colourOf(ending)(String(count))} ${ending.replaceAll('_', ' ')}`];
  });
  return [
    '',
    `  ${bar}  ${pc.bold(`${counts.ended}/${counts.total}`)} orders   ${rateOf(counts, seconds)}/s   ${seconds.toFixed(0)} s`,
    `  now    ${counts.waiting} waiting · ${steps.slice(0, 4).join(' · ')}`,
    `         ${steps.slice(4).join(' · ')}`,
    `  ended  ${endings.join(' · ') || pc.dim('none yet')}`,
    `  so far ${progress.faults} faults met · ${progress.retries} activity retries · ${progress.replayed} repeats answered from the files · ${progress.kills} kills${operationsOf(progress)}`,
  ];
}

function operationsOf({ operations }: Progress): string {
  return operations === undefined ? '' : ` · ${operations} other operations`;
}

function rateOf(counts: Counts, seconds: number): string {
  return (counts.ended / Math.max(seconds, 0.1)).toFixed(1);
}

export function colourOf(ending: Ending): (text: string) => string {
  return ending === 'shipped' ? pc.green : ending === 'failed' ? pc.red : pc.yellow;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the codes that take no room on a terminal
const COLOUR_CODE = /\x1b\[\d+m/g;

/** A line longer than the terminal would wrap, and the block could not be redrawn in place. */
function cutTo(line: string, width: number): string {
  return line.replace(COLOUR_CODE, '').length <= width ? line : `${line.replace(COLOUR_CODE, '').slice(0, width - 1)}…`;
}
