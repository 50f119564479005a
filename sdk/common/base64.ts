// Base64 without Buffer or atob, which the deterministic realm does not have.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES: ReadonlyMap<string, number> = new Map([
  ...[...ALPHABET].map((char, value): [string, number] => [char, value]),
  // The URL-safe variant reads as well.
  ['-', 62],
  ['_', 63],
]);

/** Standard alphabet, padded. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const bits = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += ALPHABET.charAt(bits >> 18) + ALPHABET.charAt((bits >> 12) & 63);
    text += left > 1 ? ALPHABET.charAt((bits >> 6) & 63) : '=';
    text += left > 2 ? ALPHABET.charAt(bits & 63) : '=';
  }
  return text;
}

/** Standard or URL-safe, padded or not. @throws TypeError for anything else. */
export function decodeBase64(text: string): Uint8Array {
  const unpadded = text.replace(/={1,2}$/, '');
  if (unpadded.length % 4 === 1) throw new TypeError('Invalid base64: wrong length');
  const bytes = new Uint8Array(Math.floor((unpadded.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let length = 0;
  for (const char of unpadded) {
    const value = VALUES.get(char);
    if (value === undefined) throw new TypeError(`Invalid base64: unexpected '${char}'`);
    bits = ((bits << 6) | value) & 0xffffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[length++] = (bits >> held) & 0xff;
    }
  }
  return bytes;
}
