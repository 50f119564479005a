// The peers that a run asks for, as systems of the bench: installed, and seen to work, before the run begins. One that cannot take part says what
// is missing; the others go on.

import type { System } from '../lib/model.ts';
import type { PeerRequest } from './choice.ts';
import { dbosSystems } from './dbos/system.ts';
import { PeerError, type PeerName } from './pins.ts';
import { restateSystems } from './restate/system.ts';
import { temporalSystems } from './temporal/system.ts';

export interface Peers {
  /** Several of one peer where it is set up in several ways. */
  readonly systems: readonly System[];
  readonly missing: readonly { readonly name: PeerName; readonly why: string }[];
}

/** @param make injected by tests */
export async function preparePeers(
  requests: readonly PeerRequest[],
  say: (text: string) => void,
  make: typeof systemsOf = systemsOf,
): Promise<Peers> {
  const systems: System[] = [];
  const missing: { name: PeerName; why: string }[] = [];
  for (const request of requests) {
    try {
      systems.push(...(await make(request, (text) => say(`${request.name}: ${text}`))));
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      missing.push({ name: request.name, why: error.message });
    }
  }
  return { systems, missing };
}

function systemsOf(request: PeerRequest, say: (text: string) => void): Promise<readonly System[]> {
  switch (request.name) {
    case 'restate':
      return restateSystems(say);
    case 'dbos':
      return dbosSystems(say);
    case 'temporal':
      return temporalSystems(request.address, say);
  }
}
