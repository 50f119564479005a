// Maps of an actor's rows. Of the tables it may have rows in most stay empty all its life, and an empty map of its own for each would be a third of what an
// actor keeps in memory: what is empty is one map for all. Only load and evolve change them.

export const NO_ROWS: ReadonlyMap<never, never> = new Map<never, never>();

/** With this row in it: the same map, unless it was empty. */
export function withRow<Id, Row>(rows: ReadonlyMap<Id, Row>, id: Id, row: Row): ReadonlyMap<Id, Row> {
  // All but the shared one were made here.
  const own = rows === NO_ROWS ? new Map<Id, Row>() : (rows as Map<Id, Row>);
  return own.set(id, row);
}

export function withoutRow<Id, Row>(rows: ReadonlyMap<Id, Row>, id: Id): ReadonlyMap<Id, Row> {
  if (rows === NO_ROWS) return rows;
  (rows as Map<Id, Row>).delete(id);
  return rows.size === 0 ? NO_ROWS : rows;
}

/** A map of its own, of rows that were read; the last of an id counts. */
export const rowsOf = <Id, Row>(rows: readonly [Id, Row][]): ReadonlyMap<Id, Row> =>
  rows.length === 0 ? NO_ROWS : new Map(rows);
