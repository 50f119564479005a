// An append-only file of JSON lines, the whole state of a demo service. A record counts once `append` has resolved: it is on the
// disk (fdatasync). Lines that come in while one sync runs share the next. A process killed while writing leaves at most an
// unfinished last line, which the next start cuts off; anything else unreadable is damage and is refused.

import { closeSync, existsSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

export class JournalDamagedError extends Error {
  override readonly name = 'JournalDamagedError';
}

/** The records of a journal, and how many bytes of it they take; what follows is an unfinished line. */
export function readJournal<R>(path: string): { records: R[]; bytes: number } {
  if (!existsSync(path)) return { records: [], bytes: 0 };
  const content = readFileSync(path);
  const bytes = content.lastIndexOf(0x0a) + 1;
  const lines = content.toString('utf8', 0, bytes).split('\n').slice(0, -1);
  const records = lines.map((line, index) => {
    try {
      // The writer is this module: a line that parses has the shape its service gave it.
      return JSON.parse(line) as R;
    } catch (error) {
      throw new JournalDamagedError(
        `${path}: line ${index + 1} is not JSON; restore the file or start with a new one`,
        {
          cause: error,
        },
      );
    }
  });
  return { records, bytes };
}

export class Journal<R> {
  readonly #file: FileHandle;
  #pending: string[] = [];
  #syncing: Promise<void> | undefined;
  /** Records handed to `append`, and how many of them are on the disk. */
  #appended = 0;
  #durable = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open<R>(path: string): Promise<{ journal: Journal<R>; records: R[] }> {
    const { records, bytes } = readJournal<R>(path);
    if (existsSync(path)) cutTo(path, bytes);
    return { journal: new Journal<R>(await open(path, 'a')), records };
  }

  /** Resolves when the record is on the disk. */
  append(record: R): Promise<void> {
    this.#pending.push(`${JSON.stringify(record)}\n`);
    this.#appended += 1;
    return this.settled();
  }

  /** Resolves when all that was appended before this call is on the disk. */
  async settled(): Promise<void> {
    const target = this.#appended;
    while (this.#durable < target) await (this.#syncing ??= this.#sync());
  }

  async #sync(): Promise<void> {
    const upTo = this.#appended;
    const lines = this.#pending;
    this.#pending = [];
    try {
      await this.#file.appendFile(lines.join(''));
      await this.#file.datasync();
      this.#durable = upTo;
    } finally {
      this.#syncing = undefined;
    }
  }

  async close(): Promise<void> {
    await this.settled();
    await this.#file.close();
  }
}

function cutTo(path: string, bytes: number): void {
  const fd = openSync(path, 'r+');
  try {
    ftruncateSync(fd, bytes);
  } finally {
    closeSync(fd);
  }
}
