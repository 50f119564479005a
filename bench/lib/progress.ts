// What a run says while it runs, on stderr: on a terminal one line that is written over, elsewhere a line for each stage.

import pc from 'picocolors';
import type { Progress } from './model.ts';

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

const USUAL_COLUMNS = 80;

export function makeProgress(output: Output): Progress & { clear(): void } {
  if (output.isTTY !== true) {
    return { say: (text) => void output.write(`${text}\n`), tick: () => {}, clear: () => {} };
  }
  let stage = '';
  const show = (rest: string): void => {
    const line = rest === '' ? stage : `${stage} · ${rest}`;
    // A terminal that does not know its size says 0.
    const columns = output.columns === undefined || output.columns === 0 ? USUAL_COLUMNS : output.columns;
    output.write(`\r\u001b[K${pc.dim(line.slice(0, columns - 1))}`);
  };
  return {
    say: (text) => {
      stage = text;
      show('');
    },
    tick: show,
    clear: () => void output.write('\r\u001b[K'),
  };
}
