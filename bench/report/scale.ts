// From figures to places on a chart, and which figures to write beside its axes. Pure.

export interface Scale {
  readonly ticks: readonly number[];
  /** 0 to 1. */
  at(value: number): number;
}

/** What is below is nothing to a bench, and to an axis. */
export const LEAST = 1e-9;
const STEPS = [1, 2, 2.5, 5, 10];
const FEW_DECADES = 2;
/** An axis with more decades than this is written at every second one, and so on. */
const MOST_DECADES = 5;

/** From 0 to a round figure that is none of `values` exceeds. */
export function linearFromZero(values: readonly number[], about: number): Scale {
  const most = Math.max(0, ...values.filter(Number.isFinite));
  const reach = most < LEAST ? 1 : most;
  const step = roundStep(reach / about);
  // What is a hair above a tick, by the arithmetic alone, needs no further one.
  const count = Math.max(1, Math.ceil(reach / step - LEAST));
  const top = count * step;
  return {
    ticks: Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12))),
    at: (value) => value / top,
  };
}

/** Between figures that matter by their ratio; none is at or below 0. Whole decades where there are some, else 1, 2, 5. */
export function logarithmic(values: readonly number[]): Scale {
  const usable = values.filter((value) => Number.isFinite(value) && value >= LEAST);
  const [least, most] = usable.length === 0 ? [1, 10] : [Math.min(...usable), Math.max(...usable)];
  const all = [];
  // One decade more below: what is a hair below a power of ten has its logarithm.
  for (let decade = Math.floor(Math.log10(least)) - 1; decade <= Math.ceil(Math.log10(most)); decade += 1)
    for (const digit of [1, 2, 5]) all.push(Number((digit * 10 ** decade).toPrecision(12)));
  const bottom = all.filter((tick) => tick <= least).at(-1) ?? least;
  const top = all.find((tick) => tick >= most && tick > bottom) ?? most * 10;
  const [from, to] = [Math.log10(bottom), Math.log10(top)];
  const within = all.filter((tick) => tick >= bottom && tick <= top);
  const decades = within.filter((tick) => Number.isInteger(Math.round(Math.log10(tick) * 1e9) / 1e9));
  const every = Math.ceil(decades.length / MOST_DECADES);
  return {
    ticks: to - from <= FEW_DECADES ? within : decades.filter((_, i) => i % every === 0),
    at: (value) => (Math.log10(value) - from) / (to - from),
  };
}

/** Percentiles: 90, 99 and 99.9 are as far from each other, since each leaves a tenth of what the one before left. */
export function percentiles(highest: number): Scale {
  const marks = [0, 50, 90, 99, 99.9, 99.99, 99.999];
  const end = marks.find((mark) => mark >= highest) ?? highest;
  const place = (percentile: number): number => -Math.log10(1 - percentile / 100);
  return {
    ticks: marks.filter((mark) => mark <= end),
    at: (percentile) => (end === 0 ? 0 : place(percentile) / place(end)),
  };
}

function roundStep(least: number): number {
  const decade = 10 ** Math.floor(Math.log10(least));
  const step = STEPS.find((each) => each * decade >= least * (1 - LEAST)) ?? 10;
  return step * decade;
}
