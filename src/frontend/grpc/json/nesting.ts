// JSON from strangers, and from payloads that strangers have stored: what lies too deep in itself can be read, and then nobody can walk it or write it
// again. Used by api.ts and payloads.ts.

import { BadJson } from './well-known.ts';

/** Arrays and objects within each other that a value may have: beyond some thousands nobody's parser or writer takes it. */
const MAX_NESTING = 1_000;

/** Whether a JSON text has more. */
function isTooDeep(json: string): boolean {
  // Each takes a character to begin and one to end.
  if (json.length <= 2 * MAX_NESTING) return false;
  let depth = 0;
  let inText = false;
  for (let i = 0; i < json.length; i += 1) {
    const c = json.charCodeAt(i);
    if (c === QUOTE) inText = !inText;
    else if (inText) i += c === BACKSLASH ? 1 : 0;
    else if (c === BRACKET || c === BRACE) {
      depth += 1;
      if (depth > MAX_NESTING) return true;
    } else if (c === BRACKET + 2 || c === BRACE + 2) depth -= 1;
  }
  return false;
}

const [QUOTE, BACKSLASH, BRACKET, BRACE] = [0x22, 0x5c, 0x5b, 0x7b];

/** Throws BadJson of what is too deep, SyntaxError of what is no JSON. */
export function parseJson(json: string): unknown {
  if (isTooDeep(json)) throw new BadJson(`objects lie more than ${MAX_NESTING} deep in one another`);
  return JSON.parse(json);
}
