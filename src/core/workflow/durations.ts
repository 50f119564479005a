// How long anything may be asked to take.

/** A hundred years, ms: a longer time is as good as none. What is asked for beyond it is cut to it, as the reference server does. */
export const LONGEST_MS = 100 * 365 * 86_400_000;

/** ms. */
export const cut = (ms: number): number => Math.min(ms, LONGEST_MS);
