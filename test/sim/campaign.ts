// A campaign: many seeds, several at once, each on a lane of its own (lanes.ts). What comes of it is the same however many lanes there are: results are
// put in the order of their seeds, and what lies behind the last failure that counts is left out.

export interface SeedFailure {
  readonly message: string;
  readonly stack: string | undefined;
}

/** Of one seed, as plain data: it crosses processes, and is kept in files. */
export interface SeedResult {
  readonly seed: number;
  readonly failure: SeedFailure | undefined;
}

/** Runs one seed at a time. */
export interface Lane<R extends SeedResult> {
  /** Rejects when the lane is gone, and the seed may have been why. */
  run(seed: number): Promise<{ readonly result: R; readonly cpuMs: number }>;
  close(): void;
}

export interface CampaignOptions<R extends SeedResult> {
  readonly from: number;
  readonly seeds: number;
  readonly lanes: number;
  readonly openLane: () => Lane<R>;
  /** Of a seed whose lane was lost. */
  readonly lost: (seed: number, why: string) => R;
  /** Others of the range are left out. */
  readonly isWanted?: (seed: number) => boolean;
  /** Results there are already, by seed. */
  readonly known?: ReadonlyMap<number, R>;
  /** No seed is begun after so many failed. */
  readonly mostFailures: number;
  /** No seed is begun after so long. */
  readonly mostMs?: number;
  /** As they come, in no particular order. */
  /** `isLost`: its lane was; what the seed would have done is not known. */
  readonly onResult?: (result: R, isLost: boolean) => void;
  readonly isStopped?: () => boolean;
}

export interface CampaignRun<R extends SeedResult> {
  /** In the order of their seeds. */
  readonly results: readonly R[];
  /** Run now, not known before. */
  readonly ran: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export async function runCampaign<R extends SeedResult>(options: CampaignOptions<R>): Promise<CampaignRun<R>> {
  const { from, seeds, openLane, lost, known, mostFailures, mostMs = Number.POSITIVE_INFINITY, onResult } = options;
  const results = new Map<number, R>();
  for (const [seed, result] of known ?? []) if (seed >= from && seed < from + seeds) results.set(seed, result);
  const before = results.size;
  const failures = (): number => [...results.values()].filter(({ failure }) => failure !== undefined).length;
  const startedAt = performance.now();
  let cpuMs = 0;
  let next = from;
  const take = (): number | undefined => {
    if (options.isStopped?.() === true || failures() >= mostFailures || performance.now() - startedAt > mostMs)
      return undefined;
    while (next < from + seeds && (results.has(next) || options.isWanted?.(next) === false)) next += 1;
    if (next >= from + seeds) return undefined;
    next += 1;
    return next - 1;
  };
  const drive = async (): Promise<void> => {
    let lane: Lane<R> | undefined;
    for (let seed = take(); seed !== undefined; seed = take()) {
      lane ??= openLane();
      let result: R;
      let isLost = false;
      try {
        const done = await lane.run(seed);
        ({ result } = done);
        cpuMs += done.cpuMs;
      } catch (error) {
        lane.close();
        lane = undefined;
        isLost = true;
        result = lost(seed, error instanceof Error ? error.message : String(error));
      }
      results.set(seed, result);
      onResult?.(result, isLost);
    }
    lane?.close();
  };
  await Promise.all(Array.from({ length: Math.max(1, options.lanes) }, drive));
  return {
    results: upToFailure(
      [...results.values()].sort((a, b) => a.seed - b.seed),
      mostFailures,
    ),
    ran: results.size - before,
    seconds: (performance.now() - startedAt) / 1_000,
    cpuSeconds: cpuMs / 1_000,
  };
}

/** Seeds behind the last failure that counts were run only because there were lanes free. */
function upToFailure<R extends SeedResult>(results: readonly R[], mostFailures: number): readonly R[] {
  let failures = 0;
  const last = results.findIndex(({ failure }) => failure !== undefined && (failures += 1) >= mostFailures);
  return last < 0 ? results : results.slice(0, last + 1);
}
