// Counts what happened during a run: retries, faults, deaths. Fed by the children's messages, read by view and summary.

import type { FaultKind } from '../services/faults.ts';
import type { ChildMessage } from './messages.ts';

export class Tally {
  /** Activity attempts after the first. */
  retries = 0;
  /** Of these, those that went on from a heartbeat. */
  resumed = 0;
  /** Requests that a service had performed before and answered from its file. */
  replayed = 0;
  readonly faults = new Map<FaultKind, number>();
  /** SIGKILLs sent by chaos, by process. */
  readonly kills = new Map<string, number>();
  /** Deaths that nobody here asked for. */
  readonly deaths = new Map<string, number>();

  add(message: ChildMessage): void {
    switch (message.kind) {
      case 'retry':
        this.retries += 1;
        if (message.from === 'heartbeat') this.resumed += 1;
        return;
      case 'fault':
        increase(this.faults, message.fault);
        return;
      case 'replayed':
        this.replayed += 1;
        return;
      case 'ready':
        return;
    }
  }

  killed(name: string): void {
    increase(this.kills, name);
  }

  died(name: string): void {
    increase(this.deaths, name);
  }

  get faultCount(): number {
    return total(this.faults);
  }

  get killCount(): number {
    return total(this.kills);
  }
}

function increase<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function total(counts: ReadonlyMap<unknown, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
