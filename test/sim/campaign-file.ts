// The results of a campaign as a file of JSON lines: one for what was run, then one for each seed as it comes. So a campaign that was ended goes on
// where it was, and its failing seeds are found with grep.

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { SeedResult } from './campaign.ts';

/** What all results of a file have in common. */
export interface CampaignOrigin {
  /** Of the code that was run. */
  readonly code: string;
  /** Its options, as far as they change what a seed does. */
  readonly options: string;
}

export class CampaignFile<R extends SeedResult> {
  readonly #path: string;
  /** By seed. */
  readonly results: ReadonlyMap<number, R>;

  /**
   * @param how `new`: the file must not be there; `resume`: it may
   * @throws Error when it is there and is not to be, or holds results of other code or options
   */
  constructor(path: string, origin: CampaignOrigin, how: 'new' | 'resume') {
    this.#path = path;
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    if (text === '') {
      this.results = new Map();
      appendFileSync(path, `${JSON.stringify(origin)}\n`);
      return;
    }
    if (how === 'new') throw new Error(`${path} is there already: give --resume to go on with it, or another name`);
    const [first = '', ...lines] = text.split('\n');
    const known = parsed<CampaignOrigin>(first);
    if (known?.code !== origin.code || known.options !== origin.options) {
      const why =
        known?.code === origin.code
          ? `was run with "${known?.options ?? ''}", this is "${origin.options}"`
          : 'was run with other code: its seeds mean other histories';
      throw new Error(`${path} ${why}. Begin another file.`);
    }
    const results = new Map<number, R>();
    for (const line of lines) {
      // The last one may have been cut short.
      const result = line === '' ? undefined : parsed<R>(line);
      if (result !== undefined) results.set(result.seed, result);
    }
    this.results = results;
    if (!text.endsWith('\n')) appendFileSync(path, '\n');
  }

  append(result: R): void {
    appendFileSync(this.#path, `${JSON.stringify(result)}\n`);
  }
}

/** Of a line this file wrote. */
function parsed<T>(line: string): T | undefined {
  try {
    return JSON.parse(line) as T;
  } catch {
    return undefined;
  }
}
