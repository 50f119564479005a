// The Nexus endpoints of a node or cluster as rows, one each and a count of changes, beside the namespaces (src/shard/namespaces): replicated, backed
// up and resharded as everything else is. Asked about by doors; put together for the engine by settings.ts.

import { REGISTRY } from '../../core/namespace/record.ts';
import { MAX_ENDPOINTS } from '../../core/nexus/endpoints.ts';
import type { Done } from '../../ports/engine.ts';
import { key } from '../../ports/ids.ts';
import type { EndpointAnswer, EndpointAsk } from '../../ports/nexus-endpoints.ts';
import { decode, encode } from '../../wire/codec.ts';
import type { NexusEndpoint } from '../../wire/nexus.ts';
import { type Status, StatusCode } from '../../wire/status.ts';
import type { Actor } from '../actor.ts';
import { after, endpointKey, endpointRevisionKey, endpointsPrefix } from '../keys.ts';
import type { Reader } from '../reader.ts';
import { answered, SettingRefusal, SettingsTurns, type SettingsTurnsOptions } from '../settings-turns.ts';
import { exhausted, notFound } from '../status.ts';

export interface EndpointsOptions extends SettingsTurnsOptions {
  reader: Reader;
  /** Why nothing is served, or undefined. */
  refusal(): Status | undefined;
  onFault(error: unknown): void;
}

export class Endpoints {
  readonly #options: EndpointsOptions;
  readonly #turns: SettingsTurns;

  constructor(options: EndpointsOptions) {
    this.#options = options;
    this.#turns = new SettingsTurns(options);
  }

  ask(asked: EndpointAsk, done: Done<EndpointAnswer>): void {
    answered(this.#options, done, () => this.#turns.inTurn(REGISTRY, (actor) => this.#answer(actor, asked)));
  }

  async #answer(actor: Actor, asked: EndpointAsk): Promise<EndpointAnswer> {
    const revision = await this.#revision(actor);
    if (asked.type === 'list') {
      return asked.since === revision ? { revision } : { revision, endpoints: await this.#all(actor) };
    }
    const all = await this.#all(actor);
    const known = all.find(({ id }) => id === asked.id);
    if (asked.type === 'create' && known !== undefined) return { revision, endpoints: [known] };
    if (asked.type !== 'create' && known === undefined) throw new SettingRefusal(unknownEndpoint(asked.id));
    if (asked.type !== 'create' && known?.version !== asked.version) throw new SettingRefusal(moved(asked, known));
    const next = this.#next(actor, asked, known, all);
    await this.#turns.write(actor, [
      [endpointKey(actor.base, asked.id), next && encode(next)],
      [endpointRevisionKey(actor.base), encode(revision + 1)],
    ]);
    return { revision: revision + 1, endpoints: next && [next] };
  }

  #next(
    actor: Actor,
    asked: Exclude<EndpointAsk, { type: 'list' }>,
    known: NexusEndpoint | undefined,
    all: readonly NexusEndpoint[],
  ): NexusEndpoint | undefined {
    if (asked.type === 'delete') return undefined;
    const { id, spec } = asked;
    if (all.some((other) => other.spec.name === spec.name && other.id !== id)) {
      throw new SettingRefusal(nameTaken(spec.name));
    }
    const now = this.#turns.now(actor);
    if (known !== undefined) return { ...known, version: known.version + 1, spec, lastModifiedTime: now };
    if (all.length >= MAX_ENDPOINTS) throw new SettingRefusal(tooMany());
    return { id, version: 1, spec, createdTime: now };
  }

  async #all(actor: Actor): Promise<NexusEndpoint[]> {
    const prefix = endpointsPrefix(actor.base);
    const rows = await this.#options.reader.range(key(prefix), after(prefix), MAX_ENDPOINTS);
    // Written above and checksummed by the store.
    return rows.map(([, bytes]) => decode(bytes) as NexusEndpoint);
  }

  async #revision(actor: Actor): Promise<number> {
    const bytes = await this.#options.reader.get(endpointRevisionKey(actor.base));
    return bytes === undefined ? 0 : (decode(bytes) as number);
  }
}

const unknownEndpoint = (id: string): Status => notFound(`Nexus endpoint ${id} is not found.`);

const moved = ({ id, version }: { id: string; version: number }, known: NexusEndpoint | undefined): Status => ({
  code: StatusCode.FAILED_PRECONDITION,
  message: `Nexus endpoint ${id} has version ${known?.version}, not ${version}: somebody has changed it, look again.`,
});

const nameTaken = (name: string): Status => ({
  code: StatusCode.ALREADY_EXISTS,
  message: `There is a Nexus endpoint named ${name} already.`,
});

const tooMany = (): Status =>
  exhausted('NEXUS_ENDPOINTS', `There are ${MAX_ENDPOINTS} Nexus endpoints, as many as may be: delete some first.`);
