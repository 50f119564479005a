// Which method a request of the HTTP API means: the paths in the protos' `google.api.http` annotations, the older ones as well as those under /api/v1.
// Read from the descriptors, so there is a path here for every method that has one there.

import { apiService, methodTypes, type Type } from '../proto/descriptors.ts';
import type { Rpc } from '../rpc.ts';

export interface Route {
  readonly name: string;
  readonly rpc: Rpc;
  readonly verb: string;
  readonly request: Type;
  readonly response: Type;
  /** The body is the request, without what the path says. */
  readonly hasBody: boolean;
  readonly segments: readonly Segment[];
}

/** A text of its own, or a field of the request. */
export type Segment = { readonly is: string } | { readonly field: string };

const VERBS = ['get', 'post', 'put', 'delete', 'patch'] as const;

type Binding = Readonly<Partial<Record<(typeof VERBS)[number] | 'body', string>>>;
type Annotation = Binding & { additional_bindings?: Binding | readonly Binding[] };

const segmentsOf = (path: string): Segment[] =>
  path
    .slice(1)
    .split('/')
    .map((part) => (part.startsWith('{') ? { field: part.slice(1, -1) } : { is: part }));

export class Routes {
  /** By verb and number of segments. */
  readonly #routes = new Map<string, Route[]>();
  readonly #verbs = new Set<string>();

  constructor(services: ReadonlyMap<string, ReadonlyMap<string, Rpc>>) {
    for (const [service, methods] of services) {
      for (const [name, rpc] of methods) {
        for (const binding of bindingsOf(service, name)) this.#add(service, name, rpc, binding);
      }
    }
    // Of two that fit, the one with more texts of its own: /workflows/count is no workflow.
    for (const routes of this.#routes.values()) routes.sort((a, b) => texts(b) - texts(a));
  }

  /** Undefined when there is nothing at that path; `wrongVerb` when there is, for another verb. */
  find(verb: string, path: string): { route: Route; params: Record<string, string> } | 'wrongVerb' | undefined {
    const parts = path.slice(1).split('/');
    const found = this.#match(verb, parts);
    if (found !== undefined) return found;
    return [...this.#verbs].some((other) => this.#match(other, parts) !== undefined) ? 'wrongVerb' : undefined;
  }

  get all(): readonly Route[] {
    return [...this.#routes.values()].flat();
  }

  #match(verb: string, parts: readonly string[]): { route: Route; params: Record<string, string> } | undefined {
    for (const route of this.#routes.get(`${verb} ${parts.length}`) ?? []) {
      const params = paramsOf(route, parts);
      if (params !== undefined) return { route, params };
    }
    return undefined;
  }

  #add(service: string, name: string, rpc: Rpc, binding: Binding): void {
    for (const verb of VERBS) {
      const path = binding[verb];
      if (path === undefined) continue;
      const { request, response } = methodTypes(apiService(service), name);
      const route: Route = {
        ...{ name, rpc, request, response, verb: verb.toUpperCase(), segments: segmentsOf(path) },
        hasBody: binding.body === '*',
      };
      const key = `${route.verb} ${route.segments.length}`;
      this.#routes.set(key, [...(this.#routes.get(key) ?? []), route]);
      this.#verbs.add(route.verb);
    }
  }
}

const texts = ({ segments }: Route): number => segments.filter((segment) => 'is' in segment).length;

function bindingsOf(service: string, name: string): Binding[] {
  // protobufjs keeps what an option holds as the file has it.
  const options = (apiService(service).methods[name]?.parsedOptions ?? []) as readonly Record<string, unknown>[];
  const annotation = options.find((option) => option[HTTP] !== undefined)?.[HTTP] as Annotation | undefined;
  if (annotation === undefined) return [];
  const { additional_bindings: more = [], ...first } = annotation;
  return [first, ...[more].flat()];
}

const HTTP = '(google.api.http)';

function paramsOf({ segments }: Route, parts: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [i, segment] of segments.entries()) {
    const part = parts[i] ?? '';
    if ('is' in segment) {
      if (segment.is !== part) return undefined;
    } else {
      if (part === '') return undefined;
      try {
        params[segment.field] = decodeURIComponent(part);
      } catch {
        return undefined;
      }
    }
  }
  return params;
}
