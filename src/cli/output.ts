// Printing: tables for people, JSON for programs. Colours only on a terminal, unless asked for.

import Table from 'cli-table3';
import pc from 'picocolors';

export type Format = 'table' | 'json' | 'jsonl' | 'none';

export interface OutputOptions {
  output: Format;
  color: 'auto' | 'always' | 'never';
}

type Colors = ReturnType<typeof pc.createColors>;

export class Output {
  readonly format: Format;
  readonly colors: Colors;
  readonly #write: (text: string) => void;

  constructor(options: OutputOptions, stream: NodeJS.WriteStream = process.stdout) {
    this.format = options.output;
    const wanted =
      options.color === 'always' ||
      (options.color === 'auto' && stream.isTTY === true && process.env.NO_COLOR === undefined);
    this.colors = pc.createColors(wanted);
    this.#write = (text) => {
      stream.write(text);
    };
  }

  /** One result: key and value a line, or one JSON object. */
  record(entries: Readonly<Record<string, unknown>>): void {
    switch (this.format) {
      case 'none':
        return;
      case 'json':
        this.line(toJson(entries, 2));
        return;
      case 'jsonl':
        this.line(toJson(entries));
        return;
      case 'table': {
        const shown = Object.entries(entries).filter(([, value]) => value !== undefined);
        const width = Math.max(0, ...shown.map(([key]) => key.length));
        for (const [key, value] of shown) this.line(`${this.colors.dim(key.padEnd(width))}  ${cell(value)}`);
      }
    }
  }

  /** Many results. In JSON an array; `jsonl` writes one object a line as they come. */
  async list(
    items: AsyncIterable<Readonly<Record<string, unknown>>> | Iterable<Readonly<Record<string, unknown>>>,
  ): Promise<void> {
    if (this.format === 'jsonl') {
      for await (const item of items) this.line(toJson(item));
      return;
    }
    const all: Readonly<Record<string, unknown>>[] = [];
    for await (const item of items) all.push(item);
    if (this.format === 'json') this.line(toJson(all, 2));
    else if (this.format === 'table') this.table(all);
  }

  table(rows: readonly Readonly<Record<string, unknown>>[]): void {
    const [first] = rows;
    if (!first) return;
    const head = Object.keys(first);
    const table = new Table({
      head: head.map((title) => this.colors.bold(title)),
      style: { head: [], border: [], compact: true },
      chars: BORDERLESS,
    });
    for (const row of rows) table.push(head.map((title) => cell(row[title])));
    this.line(table.toString());
  }

  /** A line of free text; not in JSON modes, where only results may appear. */
  say(text: string): void {
    if (this.format === 'table') this.line(text);
  }

  line(text: string): void {
    this.#write(`${text}\n`);
  }
}

const BORDERLESS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

function cell(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' ? toJson(value) : String(value);
}

/** An enum's name for a number of the wire. */
export const nameOf = (values: Readonly<Record<string, number>>, value: number): string =>
  Object.entries(values).find(([, number]) => number === value)?.[0] ?? String(value);

/** JSON with dates as RFC 3339, bytes as base64, errors with all they say of themselves, down to the last cause. */
export function toJson(value: unknown, indent?: number): string {
  const seen = (_: string, item: unknown): unknown => {
    if (item instanceof Uint8Array) return Buffer.from(item).toString('base64');
    if (item instanceof Error) {
      const own: Record<string, unknown> = { ...item };
      // `failure` is the wire's form of the same.
      return { name: item.name, message: item.message, ...own, failure: undefined, stack: undefined };
    }
    if (typeof item === 'bigint') return String(item);
    return item;
  };
  return JSON.stringify(value, seen, indent) ?? 'null';
}
