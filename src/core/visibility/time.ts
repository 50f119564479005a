// Times and durations in list filters, read digit by digit (linear time, no RegExp).

class Scanner {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  get done(): boolean {
    return this.at === this.text.length;
  }

  eat(options: string): string | undefined {
    const c = this.text.charAt(this.at);
    if (c === '' || !options.includes(c)) return undefined;
    this.at += 1;
    return c;
  }

  /** Between `least` and `most` digits. */
  digits(least: number, most: number): string | undefined {
    const from = this.at;
    while (this.at - from < most && this.eat('0123456789') !== undefined);
    return this.at - from < least ? undefined : this.text.slice(from, this.at);
  }
}

/** RFC 3339 with a zone → epoch milliseconds (fractions kept), or undefined. */
export function parseTime(text: string): number | undefined {
  const scanner = new Scanner(text);
  const parts: number[] = [];
  for (const [width, separator] of [
    [4, '-'],
    [2, '-'],
    [2, 'Tt'],
    [2, ':'],
    [2, ':'],
    [2, ''],
  ] as const) {
    const digits = scanner.digits(width, width);
    if (digits === undefined) return undefined;
    parts.push(Number(digits));
    if (separator !== '' && scanner.eat(separator) === undefined) return undefined;
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  let fraction = 0;
  if (scanner.eat('.') !== undefined) {
    const digits = scanner.digits(1, 9);
    if (digits === undefined) return undefined;
    fraction = Number(digits) / 10 ** (digits.length - 3);
  }
  const zone = readZone(scanner);
  if (zone === undefined || !scanner.done) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const sound = month >= 1 && month <= 12 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return sound && hour < 24 && minute < 60 && second < 61 ? date.getTime() + fraction - zone : undefined;
}

/** Offset from UTC, ms. */
function readZone(scanner: Scanner): number | undefined {
  if (scanner.eat('Zz') !== undefined) return 0;
  const sign = scanner.eat('+-');
  const hours = sign === undefined ? undefined : scanner.digits(2, 2);
  if (hours === undefined || scanner.eat(':') === undefined) return undefined;
  const minutes = scanner.digits(2, 2);
  if (minutes === undefined) return undefined;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

const UNITS: readonly (readonly [string, number])[] = [
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
];

/** `1h30m`, `90s`, `hh:mm:ss` or whole nanoseconds → milliseconds, or undefined. */
export function parseDuration(text: string): number | undefined {
  const scanner = new Scanner(text);
  const sign = scanner.eat('+-') === '-' ? -1 : 1;
  let total = 0;
  let pieces = 0;
  while (!scanner.done) {
    const whole = scanner.digits(1, 18);
    if (whole === undefined) return undefined;
    const rest = scanner.text.slice(scanner.at);
    if (pieces === 0 && rest === '') return (sign * Number(whole)) / 1e6;
    if (pieces === 0 && rest.startsWith(':')) return clockForm(scanner, Number(whole), sign);
    const fraction = scanner.eat('.') === undefined ? '' : scanner.digits(1, 9);
    if (fraction === undefined) return undefined;
    const unit = UNITS.find(
      ([name]) =>
        scanner.text.startsWith(name, scanner.at) && !(name === 'm' && scanner.text.startsWith('ms', scanner.at)),
    );
    if (unit === undefined) return undefined;
    scanner.at += unit[0].length;
    total += Number(`${whole}.${fraction}`) * unit[1];
    pieces += 1;
  }
  return pieces === 0 ? undefined : sign * total;
}

function clockForm(scanner: Scanner, hours: number, sign: number): number | undefined {
  const parts: number[] = [];
  while (scanner.eat(':') !== undefined) {
    const digits = scanner.digits(2, 2);
    if (digits === undefined || Number(digits) > 59) return undefined;
    parts.push(Number(digits));
  }
  const [minutes = 0, seconds = 0] = parts;
  return parts.length === 2 && scanner.done
    ? sign * (hours * 3_600_000 + minutes * 60_000 + seconds * 1_000)
    : undefined;
}
