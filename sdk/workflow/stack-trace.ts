// Stacks as the enhanced stack trace query gives them: the frames one by one, as Temporal's web page reads them.

export interface FileLocation {
  file_path: string;
  /** 1-based. */
  line: number;
  column: number;
  function_name?: string;
  /** Of the SDK: never, since its frames are left out. */
  internal_code: boolean;
}

export interface EnhancedStackTrace {
  sdk: { name: string; version: string };
  /** Always empty: bundles keep no sources. */
  sources: Record<string, never>;
  stacks: { locations: FileLocation[] }[];
}

/** `at name (FILE:line:column)` or `at FILE:line:column`. */
const FRAME = /^\s*at (?:(.*?) \()?(.+):(\d+):(\d+)\)?$/;

/** What the frames of a mapped stack say. */
export function locationsOf(stack: string): FileLocation[] {
  const locations: FileLocation[] = [];
  for (const line of stack.split('\n')) {
    const [, name, file, row, column] = FRAME.exec(line) ?? [];
    if (file === undefined) continue;
    const place = { file_path: file, line: Number(row), column: Number(column), internal_code: false };
    locations.push(name === undefined ? place : { ...place, function_name: name });
  }
  return locations;
}
