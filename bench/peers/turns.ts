// In which order systems are measured: A B A B, so that a machine that drifts drifts for all of them. Pure.

export interface Turn<S> {
  readonly system: S;
  /** From 1. */
  readonly round: number;
}

/** Alone, a system has one round. */
export function turnsOf<S>(systems: readonly S[], rounds: number): readonly Turn<S>[] {
  const all = systems.length > 1 ? rounds : 1;
  return Array.from({ length: all }, (_, i) => systems.map((system) => ({ system, round: i + 1 }))).flat();
}
