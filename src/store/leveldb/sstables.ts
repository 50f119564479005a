// Which table files may hold a key, out of LevelDB's property `leveldb.sstables`. Only for messages about damage.

/** ` 7:2048['first' @ 12 : 1 .. 'last' @ 40 : 1]`: file number, size, and its range of internal keys. */
const LINE = /^\s*(\d+):\d+\['(.*)' @ \d+ : \d+ \.\. '(.*)' @ \d+ : \d+\]/;

/** Newest first within a level, upper levels first, as LevelDB looks for it. */
export function filesOf(sstables: string, key: string): string[] {
  const files: string[] = [];
  for (const line of sstables.split('\n')) {
    const [, number, first, last] = LINE.exec(line) ?? [];
    if (number === undefined || first === undefined || last === undefined) continue;
    if (unescaped(first) <= key && key <= unescaped(last)) files.push(`${number.padStart(6, '0')}.ldb`);
  }
  return files;
}

const unescaped = (text: string): string =>
  text.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
