// What may happen to a data directory: bits turn, files go, a copy is cut short, the disk is full or read-only, the process is killed.
import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { key, lsn, term } from '../../src/ports/ids.ts';
import type { ShardPosition, Store } from '../../src/ports/store.ts';
import { copyDirectory, openLevelStore, verifyDirectory } from '../../src/store/index.ts';
import { A, entry, log } from './medium.ts';

const made: string[] = [];
const mounted: string[] = [];
const temporary = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'tenuto-damage-'));
  made.push(directory);
  return directory;
};

afterEach(() => {
  for (const path of mounted.splice(0)) execFileSync('umount', [path]);
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

const ENTRIES = 40;
const short = (at: number): string => `entry ${at}`.repeat(at);
/** Written deflated. */
const long = (at: number): string => createHash('sha512').update(`entry ${at}`).digest('hex').repeat(70);

/** The files of a store killed after it acknowledged its entries, one append each. */
async function killed(textOf = short): Promise<string> {
  const directory = join(temporary(), 'data');
  const store = openLevelStore({ directory });
  await store.open();
  for (let at = 1; at <= ENTRIES; at += 1) await store.append([entry(A, at, term(1), textOf(at))]);
  const left = join(temporary(), 'left');
  cpSync(directory, left, { recursive: true });
  await store.close();
  return left;
}

/** LevelDB's own. */
const walOf = (directory: string): string => {
  const name = readdirSync(join(directory, 'store')).find((file) => file.endsWith('.log'));
  return join(directory, 'store', name ?? 'none');
};

/** The newest file that appends went to. */
const segmentOf = (directory: string): string => {
  const folder = join(directory, 'store', 'segments');
  return join(folder, readdirSync(folder).sort().at(-1) ?? 'none');
};

async function position(directory: string): Promise<ShardPosition | undefined> {
  const store = openLevelStore({ directory });
  try {
    return (await store.open()).get(A);
  } finally {
    await store.close();
  }
}

const copyOf = (directory: string): string => {
  const copy = join(temporary(), 'copy');
  cpSync(directory, copy, { recursive: true });
  return copy;
};

/** Where appends are, and where LevelDB has everything for now, after a start moved them there. */
const LOGS = [
  { name: 'a segment', left: () => killed(), fileOf: segmentOf, headBytes: 14, headOf: segmentHead },
  {
    name: 'a segment of deflated records',
    left: () => killed(long),
    fileOf: segmentOf,
    headBytes: 22,
    headOf: segmentHead,
  },
  { name: "LevelDB's write-ahead log", left: killedLater, fileOf: walOf, headBytes: 7, headOf: fragmentHead },
];

/** The same after a restart and as many entries again, each with a flush: those are in LevelDB's log. */
async function killedLater(): Promise<string> {
  const directory = await killed();
  const store = openLevelStore({ directory });
  await store.open();
  for (let at = 1; at <= ENTRIES; at += 1) {
    const entries = [entry(A, ENTRIES + at, term(1), `entry ${at}`.repeat(at))];
    await Promise.all([
      store.append(entries),
      store.flush([{ shard: A, term: term(1), appliedLsn: lsn(1), rows: [] }]),
    ]);
  }
  const left = join(temporary(), 'left');
  cpSync(directory, left, { recursive: true });
  await store.close();
  return left;
}

/** Where the head of the record that holds byte `at` begins. */
function segmentHead(bytes: Buffer, at: number): number {
  let head = 0;
  for (;;) {
    const length = bytes.readUInt32LE(head + 4);
    // The highest bit says that it is deflated.
    const end = head + (length < 2 ** 31 ? 14 + length : 22 + length - 2 ** 31);
    if (at < end) return head;
    head = end;
  }
}

/** The same of a fragment in LevelDB's blocks. */
function fragmentHead(bytes: Buffer, at: number): number {
  let head = 0;
  for (;;) {
    const end = head + 7 + bytes.readUInt16LE(head + 4);
    if (at < end) return head;
    head = end % 32_768 > 32_768 - 7 ? Math.ceil(end / 32_768) * 32_768 : end;
  }
}

/** Some 200 places of so many, each in another place of a byte and of a record than the last. */
const stepOver = (places: number): number => 2 * Math.ceil(places / 400) + 1;

describe.each(LOGS)('$name', ({ left: leave, fileOf, headBytes, headOf }) => {
  it('with any bit turned is not opened, keeps its file, and verify says so', async () => {
    const left = await leave();
    const wal = fileOf(left);
    const sound = readFileSync(wal);
    const before = await position(copyOf(left));
    // Every bit of the last record's head and a sample of all others.
    const bits = new Set<number>();
    for (let bit = 0; bit < sound.length * 8; bit += stepOver(sound.length * 8)) bits.add(bit);
    const head = headOf(sound, sound.length - 1);
    for (let bit = head * 8; bit < (head + headBytes) * 8; bit += 1) bits.add(bit);
    for (const bit of bits) {
      const damaged = Buffer.from(sound);
      damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      writeFileSync(wal, damaged);
      await expect(position(left), `bit ${bit}`).rejects.toMatchObject({
        kind: 'corrupt',
        message: expect.stringContaining('write-ahead log'),
      });
      expect(readFileSync(wal).equals(damaged)).toBe(true);
    }
    expect((await verifyDirectory(left)).problems.join()).toContain('write-ahead log');
    await expect(copyDirectory(left, join(temporary(), 'to'))).rejects.toMatchObject({ kind: 'corrupt' });
    writeFileSync(wal, sound);
    expect(await position(left)).toEqual(before);
  });

  it('cut anywhere in its last record, as a kill may leave it, opens with all before it', async () => {
    const left = await leave();
    const sound = readFileSync(fileOf(left));
    const { lastLsn = 0 } = (await position(copyOf(left))) ?? {};
    const start = headOf(sound, sound.length - 1);
    for (let cut = start; cut < sound.length; cut += stepOver(sound.length - start)) {
      const torn = copyOf(left);
      truncateSync(fileOf(torn), cut);
      expect((await position(torn))?.lastLsn, `cut at ${cut}`).toBe(lastLsn - 1);
    }
  });

  it('followed by zeros, as a power cut may leave it, opens with all before them', async () => {
    const left = await leave();
    const before = await position(copyOf(left));
    const sound = readFileSync(fileOf(left));
    writeFileSync(fileOf(left), Buffer.concat([sound, Buffer.alloc(70_000)]));
    expect(await position(left)).toEqual(before);
  });

  it('in which zeros are followed by more records is damaged', async () => {
    const left = await leave();
    const sound = readFileSync(fileOf(left));
    writeFileSync(fileOf(left), sound.fill(0, 2_000, 6_000));
    await expect(position(left)).rejects.toMatchObject({ kind: 'corrupt' });
  });
});

describe('a data directory', () => {
  it('whose store is gone, emptied or exchanged is not served', async () => {
    const left = await killed();
    const gone = copyOf(left);
    rmSync(join(gone, 'store'), { recursive: true });
    expect(() => openLevelStore({ directory: gone })).toThrow(/data in .* is gone/);
    mkdirSync(join(gone, 'store'));
    await expect(position(gone)).rejects.toMatchObject({ kind: 'corrupt', message: expect.stringContaining('gone') });
    const other = await killed();
    rmSync(join(gone, 'store'), { recursive: true });
    cpSync(join(other, 'store'), join(gone, 'store'), { recursive: true });
    await expect(position(gone)).rejects.toMatchObject({ message: expect.stringContaining('belongs to directory') });
    expect((await verifyDirectory(gone)).problems.join()).toContain('belongs to directory');
  });

  it('whose creation was cut short is made by the next start', async () => {
    const directory = join(temporary(), 'data');
    const first = openLevelStore({ directory, shardCount: 8 });
    expect(existsSync(join(directory, 'tenuto.json'))).toBe(false);
    const second = openLevelStore({ directory });
    expect([second.directoryId, second.shardCount]).toEqual([first.directoryId, 8]);
    await second.open();
    await second.close();
    expect(openLevelStore({ directory }).directoryId).toBe(first.directoryId);
  });

  it('that lost its manifest is not taken for a new one', async () => {
    const left = await killed();
    rmSync(join(left, 'tenuto.json'));
    expect(() => openLevelStore({ directory: left })).toThrow(/no tenuto\.json/);
  });

  it('that lost its write-ahead log is not served, though its tables are sound', async () => {
    const left = await killed();
    // Opened once more, the log of before is a table.
    await position(left);
    rmSync(walOf(left));
    await expect(position(left)).rejects.toMatchObject({ message: expect.stringContaining('the file is gone') });
  });

  it('that lost a segment is not served, though all before it is there', async () => {
    const left = await killed();
    rmSync(segmentOf(left));
    await expect(position(left)).rejects.toMatchObject({
      kind: 'corrupt',
      message: expect.stringMatching(/segments\/0*1\.seg.*the file is gone/),
    });
    expect((await verifyDirectory(left)).problems.join()).toContain('the file is gone');
  });

  it('that is refused is not kept locked', async () => {
    const left = await killed();
    const other = await killed();
    writeFileSync(join(left, 'tenuto.json'), readFileSync(join(other, 'tenuto.json')));
    for (let again = 0; again < 2; again += 1) await expect(position(left)).rejects.toMatchObject({ kind: 'corrupt' });
  });
});

describe('tables', () => {
  it('with blocks that cannot be decompressed are listed block by block, all of them', async () => {
    const directory = join(temporary(), 'data');
    const store = openLevelStore({ directory });
    await store.open();
    const rows = Array.from(
      { length: 3_000 },
      (_, i) => [key(`row ${String(i).padStart(5, '0')}`), Buffer.from(`of row ${i}`.repeat(20))] as const,
    );
    await store.append([entry(A, 1, term(1), 'one')]);
    await store.flush([{ shard: A, term: term(1), appliedLsn: lsn(1), rows }]);
    await store.close();
    // Opened once more, the log of before is a table.
    await position(directory);
    const [name = ''] = readdirSync(join(directory, 'store')).filter((file) => file.endsWith('.ldb'));
    const table = join(directory, 'store', name);
    const bytes = readFileSync(table);
    for (const part of [0.2, 0.5, 0.8]) {
      const at = Math.floor(bytes.length * part);
      bytes.fill(0xff, at, at + 64);
    }
    writeFileSync(table, bytes);
    const { problems } = await verifyDirectory(directory);
    const blocks = problems.filter((problem) => problem.startsWith(`damaged data in ${table}, at byte `));
    expect(blocks.length).toBe(3);
    for (const block of blocks) expect(block).toMatch(/rows after "R?.*" up to "Rrow \d+/);
    // Nothing vague beside them.
    expect(problems.filter((problem) => problem.includes('compressed block contents'))).toEqual([]);
  });
});

describe('a backup', () => {
  it('cut short is no data directory', async () => {
    const left = await killed();
    const to = join(temporary(), 'backup');
    const copied = copyDirectory(left, to, () => {
      throw new Error('cut short');
    });
    await expect(copied).rejects.toThrow(/cut short/);
    expect(() => openLevelStore({ directory: to })).toThrow(/a copy was interrupted/);
    await expect(copyDirectory(left, to)).rejects.toMatchObject({ kind: 'version' });
  });
});

describe('the disk', () => {
  it('that is full: the write fails with a hint, and what was acknowledged is there', async (context) => {
    const small = tmpfs('size=6m');
    if (small === undefined) return context.skip('needs the right to mount');
    const directory = join(small, 'data');
    const store = openLevelStore({ directory });
    await store.open();
    let acknowledged = 0;
    const fill = async (): Promise<void> => {
      for (;;) {
        // Random, so that it takes room.
        await store.append([entry(A, acknowledged + 1, term(1), randomBytes(10_000).toString('hex'))]);
        acknowledged += 1;
      }
    };
    await expect(fill()).rejects.toMatchObject({ kind: 'failed', hint: expect.stringContaining('space') });
    await expect(store.append([entry(A, acknowledged + 1, term(1))])).rejects.toMatchObject({ kind: 'failed' });
    await store.close();
    expect(acknowledged).toBeGreaterThan(50);
    await expect(position(directory)).rejects.toMatchObject({ kind: 'failed' });
    const roomy = copyOf(directory);
    expect((await position(roomy))?.lastLsn).toBe(acknowledged);
  });

  it('that is read-only: the directory is refused with a hint', async (context) => {
    const root = process.getuid?.() === 0;
    const path = root ? tmpfs('size=6m') : temporary();
    if (path === undefined) return context.skip('needs the right to mount');
    const directory = join(path, 'data');
    const store = openLevelStore({ directory });
    await store.open();
    await store.close();
    if (root) execFileSync('mount', ['-o', 'remount,ro', path]);
    else chmodSync(directory, 0o555);
    const refused = expect.objectContaining({ kind: 'failed', hint: expect.stringContaining('needs to write') });
    expect(() => openLevelStore({ directory })).toThrow(refused);
    if (root) expect(() => openLevelStore({ directory: join(path, 'new') })).toThrow(refused);
    else chmodSync(directory, 0o755);
  });

  /** A small file system of its own, where this process may mount one. */
  function tmpfs(options: string): string | undefined {
    const path = temporary();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'ignore' });
    } catch {
      return undefined;
    }
    mounted.push(path);
    return path;
  }
});

describe('a process killed while it appends', () => {
  it('leaves everything that it acknowledged, and nothing that looks like damage', async () => {
    const directory = join(temporary(), 'data');
    let acknowledged = 0;
    for (let round = 0; round < 6; round += 1) {
      acknowledged = await killAfter(directory, acknowledged + 20 + round * 37);
      expect((await verifyDirectory(directory)).problems).toEqual([]);
      const store: Store = openLevelStore({ directory });
      const found = (await store.open()).get(A);
      expect(found?.lastLsn).toBeGreaterThanOrEqual(acknowledged);
      const applied = found?.appliedLsn ?? 0;
      expect(await log(store, A)).toHaveLength((found?.lastLsn ?? 0) - applied);
      expect(Buffer.from((await store.read(key('applied'))) ?? []).toString()).toBe(applied === 0 ? '' : `${applied}`);
      await store.close();
    }
  });

  /** Kills the child once it has acknowledged `goal`; returns the last lsn it acknowledged. */
  function killAfter(directory: string, goal: number): Promise<number> {
    const script = fileURLToPath(new URL('append-child.mjs', import.meta.url));
    const child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    const lastSaid = (): number => Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1) ?? 0);
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
      if (lastSaid() >= goal) child.kill('SIGKILL');
    });
    return new Promise((resolve, reject) => {
      child.on('close', (_code, signal) => {
        if (signal === 'SIGKILL') resolve(lastSaid());
        else reject(new Error(`the child ended by itself after lsn ${lastSaid()}`));
      });
    });
  }
});
