// Words of a Text attribute: letters and digits in lower case, split at everything else. Character by character, no RegExp.

/** Beyond ASCII everything is part of a word but spaces and punctuation. */
function isWordCode(code: number): boolean {
  if (code < 0x80) {
    return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
  }
  if (code < 0xc0) return code === 0xaa || code === 0xb5 || code === 0xba;
  const isPunctuation =
    code === 0xd7 ||
    code === 0xf7 ||
    code === 0x1680 ||
    code === 0xfeff ||
    (code >= 0x2000 && code <= 0x206f) ||
    (code >= 0x2e00 && code <= 0x2e7f) ||
    (code >= 0x3000 && code <= 0x3004) ||
    (code >= 0x3008 && code <= 0x3020) ||
    (code >= 0xff01 && code <= 0xff0f) ||
    (code >= 0xff1a && code <= 0xff20);
  return !isPunctuation;
}

export function wordsOf(text: string): Set<string> {
  const words = new Set<string>();
  const lower = text.toLowerCase();
  let from = -1;
  for (let at = 0; at < lower.length; at += 1) {
    if (isWordCode(lower.charCodeAt(at))) {
      if (from < 0) from = at;
    } else if (from >= 0) {
      words.add(lower.slice(from, at));
      from = -1;
    }
  }
  if (from >= 0) words.add(lower.slice(from));
  return words;
}
