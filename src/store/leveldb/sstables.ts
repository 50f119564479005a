// Which table files there are, and which may hold a key, out of LevelDB's property `leveldb.sstables`. Only for finding damage and naming it.

/** ` 7:2048['first' @ 12 : 1 .. 'last' @ 40 : 1]`: file number, size, and its range of internal keys. */
const LINE = /^\s*(\d+):\d+\['(.*)' @ \d+ : \d+ \.\. '(.*)' @ \d+ : \d+\]/;

/** All live tables. */
export function liveTables(sstables: string): string[] {
  return sstables.split('\n').flatMap((line) => {
    const number = LINE.exec(line)?.[1];
    return number === undefined ? [] : [nameOf(number)];
  });
}

const nameOf = (number: string): string => `${number.padStart(6, '0')}.ldb`;

/** Newest first within a level, upper levels first, as LevelDB looks for it. */
export function filesOf(sstables: string, key: string): string[] {
  const files: string[] = [];
  for (const line of sstables.split('\n')) {
    const [, number, first, last] = LINE.exec(line) ?? [];
    if (number === undefined || first === undefined || last === undefined) continue;
    if (unescaped(first) <= key && key <= unescaped(last)) files.push(nameOf(number));
  }
  return files;
}

const unescaped = (text: string): string =>
  text.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
