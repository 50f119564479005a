// Stacks as the enhanced stack trace query gives them: the frames one by one, as Temporal's web page reads them.

export interface StackTraceFileLocation {
  file_path?: string;
  /** 1-based. */
  line?: number;
  column?: number;
  function_name?: string;
  /** Of the SDK: never, since its frames are left out. */
  internal_code: boolean;
}

export interface StackTraceSDKInfo {
  name: string;
  version: string;
}

/** Some lines of a file. */
export interface StackTraceFileSlice {
  line_offset: number;
  content: string;
}

export interface StackTrace {
  locations: StackTraceFileLocation[];
}

export interface EnhancedStackTrace {
  sdk: StackTraceSDKInfo;
  /** Always empty: bundles keep no sources. */
  sources: Record<string, StackTraceFileSlice[]>;
  stacks: StackTrace[];
}

/** `at name (FILE:line:column)` or `at FILE:line:column`. */
const FRAME = /^\s*at (?:(.*?) \()?(.+):(\d+):(\d+)\)?$/;

/** What the frames of a mapped stack say. */
export function locationsOf(stack: string): StackTraceFileLocation[] {
  const locations: StackTraceFileLocation[] = [];
  for (const line of stack.split('\n')) {
    const [, name, file, row, column] = FRAME.exec(line) ?? [];
    if (file === undefined) continue;
    const place = { file_path: file, line: Number(row), column: Number(column), internal_code: false };
    locations.push(name === undefined ? place : { ...place, function_name: name });
  }
  return locations;
}

/** The mapped stacks of what is waited for, each once. */
export function stacksOf(waiting: readonly Iterable<{ site: Error }>[], mapStack: (stack: string) => string): string[] {
  const sites = new Set<Error>();
  for (const group of waiting) for (const { site } of group) sites.add(site);
  const stacks = new Set([...sites].map((site) => mapStack(site.stack ?? '').replace(/^Error.*\n?/, '')));
  return [...stacks].filter((stack) => stack !== '');
}
