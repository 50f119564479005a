// Source maps (version 3), as far as stacks need them: which source line a position of the bundle came from. Pure, decoded on first use.

import { isRecord } from '../../common/type-helpers.ts';

export interface SourcePosition {
  source: string;
  /** 1-based. */
  line: number;
  /** 1-based. */
  column: number;
}

/** One mapping of a generated line: everything 0-based. */
interface Segment {
  column: number;
  source: number;
  line: number;
  sourceColumn: number;
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const DIGITS = new Map([...BASE64].map((char, value) => [char, value]));

/** The variable-length integers of one segment. */
function decodeVlq(text: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const char of text) {
    const digit = DIGITS.get(char) ?? 0;
    value += (digit & 31) << shift;
    if (digit & 32) {
      shift += 5;
      continue;
    }
    numbers.push(value & 1 ? -(value >>> 1) : value >>> 1);
    value = 0;
    shift = 0;
  }
  return numbers;
}

function decodeMappings(mappings: string): Segment[][] {
  let source = 0;
  let line = 0;
  let sourceColumn = 0;
  return mappings.split(';').map((generatedLine) => {
    const segments: Segment[] = [];
    let column = 0;
    if (generatedLine === '') return segments;
    for (const text of generatedLine.split(',')) {
      const [columnStep = 0, sourceStep, lineStep = 0, sourceColumnStep = 0] = decodeVlq(text);
      column += columnStep;
      if (sourceStep === undefined) continue;
      source += sourceStep;
      line += lineStep;
      sourceColumn += sourceColumnStep;
      segments.push({ column, source, line, sourceColumn });
    }
    return segments;
  });
}

/** The map of one bundle. */
export class SourceMap {
  readonly #json: string;
  /** Lines of the bundle before the mapped code. */
  readonly #lineOffset: number;
  #sources: string[] = [];
  #lines: Segment[][] | undefined;

  /** @param json Empty for a bundle without a map: then nothing is found. */
  constructor(json: string, lineOffset: number) {
    this.#json = json;
    this.#lineOffset = lineOffset;
  }

  /** Where a position of the bundle (1-based) came from. */
  find(line: number, column: number): SourcePosition | undefined {
    const segments = this.#decoded()[line - 1 - this.#lineOffset] ?? [];
    let found: Segment | undefined;
    for (const segment of segments) {
      if (segment.column > column - 1) break;
      found = segment;
    }
    const source = found === undefined ? undefined : this.#sources[found.source];
    if (found === undefined || source === undefined) return undefined;
    return { source, line: found.line + 1, column: found.sourceColumn + 1 };
  }

  #decoded(): Segment[][] {
    if (this.#lines !== undefined) return this.#lines;
    const map: unknown = this.#json === '' ? {} : JSON.parse(this.#json);
    const mappings = isRecord(map) && typeof map.mappings === 'string' ? map.mappings : '';
    const sources: unknown[] = isRecord(map) && Array.isArray(map.sources) ? map.sources : [];
    this.#sources = sources.map(String);
    this.#lines = decodeMappings(mappings);
    return this.#lines;
  }
}

/** A frame of V8's stacks whose position lies in the bundle: `at name (FILE:line:column)` or `at FILE:line:column`. */
function framePattern(file: string): RegExp {
  const escaped = file.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^(\\s+at (?:.* )?\\(?)${escaped}:(\\d+):(\\d+)(\\)?)$`);
}

/** Maps the frames of a stack that lie in `file`; frames elsewhere (the SDK, Node) are left out, the message stays. */
export class StackMapper {
  readonly #frame: RegExp;
  readonly #map: SourceMap;

  constructor(file: string, map: SourceMap) {
    this.#frame = framePattern(file);
    this.#map = map;
  }

  map(stack: string): string {
    const lines: string[] = [];
    for (const line of stack.split('\n')) {
      if (!/^\s+at /.test(line)) {
        lines.push(line);
        continue;
      }
      const match = this.#frame.exec(line);
      const position = match === null ? undefined : this.#map.find(Number(match[2]), Number(match[3]));
      if (match !== null && position !== undefined) {
        lines.push(`${match[1]}${position.source}:${position.line}:${position.column}${match[4]}`);
      }
    }
    return lines.join('\n');
  }

  /** The innermost position of a stack in users' code. */
  top(stack: string): SourcePosition | undefined {
    for (const line of stack.split('\n')) {
      const match = this.#frame.exec(line);
      const position = match === null ? undefined : this.#map.find(Number(match[2]), Number(match[3]));
      if (position !== undefined) return position;
    }
    return undefined;
  }
}
