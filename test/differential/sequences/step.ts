// A sequence is data: it can be printed, played again, and played without some of its steps.

/** The workflows, activities and schedules of a sequence are told apart by small numbers. */
export interface Step {
  readonly call: string;
  /** Of which workflow, activity or schedule. */
  readonly on: number;
  readonly with?: Options;
}

export type Option = string | number | boolean | readonly Option[] | Options;
export interface Options {
  readonly [name: string]: Option;
}

export const WORKFLOWS = 3;
export const ACTIVITIES = 2;
export const SCHEDULES = 2;

export function stepText({ call, on, with: options }: Step): string {
  return `${call} ${on}${options === undefined ? '' : ` ${JSON.stringify(options)}`}`;
}
