// When nodes were down, or came back: what is due meanwhile is late by as much. Times are this machine's, as those of the nodes on it.

interface Outage {
  readonly from: number;
  to: number;
}

export class Outages {
  readonly #all: Outage[] = [];

  /** From before a node is killed until all is well again. */
  async during(fault: () => Promise<void>): Promise<void> {
    const outage = { from: Date.now(), to: Number.POSITIVE_INFINITY };
    this.#all.push(outage);
    await fault();
    outage.to = Date.now();
  }

  touch(from: number, to: number): boolean {
    return this.#all.some((outage) => outage.from <= to && outage.to >= from);
  }

  /** How much of that time there was none, ms. 0 when `to` is before `from`. */
  servedMs(from: number, to: number): number {
    let served = Math.max(0, to - from);
    for (const outage of this.#all) served -= Math.max(0, Math.min(to, outage.to) - Math.max(from, outage.from));
    return Math.max(0, served);
  }
}
