// What a step of a table is: a command line of a tool, how it is to end, and what it has to say.

export interface Step {
  readonly args: readonly string[];
  readonly fails: boolean;
  /** Tried again until it ends so, for a while: what it looks at comes about by itself. */
  readonly soon: boolean;
  /** All of these are in what it prints, standard output and error together. */
  readonly says: readonly (string | RegExp)[];
}

/** A command line as words: blanks separate them, single quotes keep them together. Nothing else is special. */
export function words(line: string): string[] {
  const found = line.match(/(?:[^\s']|'[^']*')+/g) ?? [];
  return found.map((word) => word.replaceAll("'", ''));
}

type Says = readonly (string | RegExp)[];

const step = (line: string, says: Says, how: Pick<Step, 'fails' | 'soon'>): Step => ({
  args: words(line),
  says,
  ...how,
});

/** Ends with code 0. */
export const ok = (line: string, ...says: Says): Step => step(line, says, { fails: false, soon: false });
/** Ends with another one. */
export const fails = (line: string, ...says: Says): Step => step(line, says, { fails: true, soon: false });
/** Ends with code 0 within {@link PATIENCE_MS}. */
export const soon = (line: string, ...says: Says): Step => step(line, says, { fails: false, soon: true });
/** Fails within it. */
export const failsSoon = (line: string, ...says: Says): Step => step(line, says, { fails: true, soon: true });

export const PATIENCE_MS = 20_000;

/** Why it is not as it has to be; undefined: it is. */
export function wrong({ fails, says }: Step, code: number, output: string): string | undefined {
  if ((code !== 0) !== fails) return `it ended with code ${code}`;
  const missing = says.find((one) => (typeof one === 'string' ? !output.includes(one) : !one.test(output)));
  return missing === undefined ? undefined : `it does not say ${missing}`;
}
