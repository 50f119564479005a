// The numbers by which builds of different versions find out whether they understand each other. Releases of one cluster, its clients and its
// workers may differ by one; two rules make that safe, and versions.test.ts holds every release to them:
//
//   spoken: agreed on when two meet. A build speaks its own version and the one before; who is two apart is refused, and told so.
//   kept:   written for readers whom nobody can ask: the disk, the replicated log, packets to all. A version is read one release before it is written,
//           so that the release before reads all that this one writes, also when a node goes back to it.
//
// A number moves only when an older build would misunderstand a newer one. All else is added: fields and elements that a reader does not know it skips.

/** Inclusive. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

export interface KeptFormat {
  readonly reads: VersionRange;
  readonly writes: number;
}

export interface Release {
  readonly spoken: {
    /** The native door: frames and methods, as `hello` says. */
    readonly client: VersionRange;
    /** Between nodes, over links: replication, routing, matching. */
    readonly link: VersionRange;
    readonly gossip: VersionRange;
  };
  readonly kept: {
    /** Of a shard's log (src/shard/entry.ts). */
    readonly logEntry: KeptFormat;
    /** `tenuto.json` of a data directory: its files, and the rows in them. */
    readonly directory: KeptFormat;
    /** `cluster.json` of a node. */
    readonly nodeState: KeptFormat;
    /** What a node says of all its shards to another in one tick (cluster/replication/multi/frame.ts). */
    readonly replicationFrame: KeptFormat;
    /** What packets of gossip are wrapped in. */
    readonly gossipEnvelope: KeptFormat;
  };
}

const only = (version: number): VersionRange => ({ min: version, max: version });
const first = (version: number): KeptFormat => ({ reads: only(version), writes: version });

/** Oldest first; one more for each release that moves a number, none is ever changed. The last is this build. */
export const RELEASES: readonly [Release, ...Release[]] = [
  // 0.1. Formats 1 to 3 of directories were before it, and never released; 3 is read, as its only difference costs nothing.
  {
    spoken: { client: only(1), link: only(1), gossip: only(1) },
    kept: {
      ...{ logEntry: first(1), directory: { reads: { min: 3, max: 4 }, writes: 4 }, nodeState: first(1) },
      ...{ replicationFrame: first(1), gossipEnvelope: first(1) },
    },
  },
];

// There is one at least.
export const VERSIONS: Release = RELEASES.at(-1) ?? RELEASES[0];

/** The newest version that both speak; undefined: none. */
export function newestCommon(a: VersionRange, b: VersionRange): number | undefined {
  const version = Math.min(a.max, b.max);
  return version >= Math.max(a.min, b.min) ? version : undefined;
}

export const isIn = (version: number, { min, max }: VersionRange): boolean => version >= min && version <= max;

/** For messages: `2`, or `1 to 2`. */
export const rangeText = ({ min, max }: VersionRange): string => (min === max ? `${min}` : `${min} to ${max}`);

/** What would go wrong between two neighbouring releases; empty: a cluster can be upgraded from one to the other, and back. */
export function skewProblems(older: Release, newer: Release): string[] {
  const problems: string[] = [];
  for (const [name, range] of Object.entries<VersionRange>(newer.spoken)) {
    // Both releases have the same names.
    const before = older.spoken[name as keyof Release['spoken']];
    if (newestCommon(before, range) === undefined)
      problems.push(`${name}: ${rangeText(before)} and ${rangeText(range)} have no version in common`);
    if (range.max > before.max + 1) problems.push(`${name}: ${range.max} comes right after ${before.max}`);
  }
  for (const [name, format] of Object.entries<KeptFormat>(newer.kept)) {
    const before = older.kept[name as keyof Release['kept']];
    if (!isIn(format.writes, before.reads))
      problems.push(`${name}: ${format.writes} is written, and ${rangeText(before.reads)} was read before`);
    if (!isIn(before.writes, format.reads))
      problems.push(`${name}: ${before.writes} was written before, and only ${rangeText(format.reads)} is read`);
  }
  return problems;
}
