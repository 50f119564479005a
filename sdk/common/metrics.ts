// Metrics as code of workflows and activities makes them: names are those of `@temporalio/common`. What becomes of a value is the recorder's matter.

export type MetricTags = Record<string, string | number | boolean>;
export type NumericMetricValueType = 'int' | 'float';
export type MetricKind = 'counter' | 'histogram' | 'gauge' | 'up-down-counter';

export interface Metric {
  name: string;
  unit?: string | undefined;
  description?: string | undefined;
  kind: MetricKind;
  valueType: NumericMetricValueType;
}

export interface MetricCounter extends Metric {
  kind: 'counter';
  valueType: 'int';
  /** @param value 0 or more. @throws Error for a negative one. */
  add(value: number, extraTags?: MetricTags): void;
  withTags(tags: MetricTags): MetricCounter;
}

export interface MetricHistogram extends Metric {
  kind: 'histogram';
  /** @param value 0 or more. @throws Error for a negative one. */
  record(value: number, extraTags?: MetricTags): void;
  withTags(tags: MetricTags): MetricHistogram;
}

export interface MetricGauge extends Metric {
  kind: 'gauge';
  /** @param value 0 or more. @throws Error for a negative one. */
  set(value: number, extraTags?: MetricTags): void;
  withTags(tags: MetricTags): MetricGauge;
}

export interface MetricUpDownCounter extends Metric {
  kind: 'up-down-counter';
  valueType: 'int';
  /** @param value Of either sign. */
  add(value: number, extraTags?: MetricTags): void;
  withTags(tags: MetricTags): MetricUpDownCounter;
}

/** Makes metrics. The same name made twice is one metric. */
export interface MetricMeter {
  createCounter(name: string, unit?: string, description?: string): MetricCounter;
  /** @param valueType Default: int. */
  createHistogram(
    name: string,
    valueType?: NumericMetricValueType,
    unit?: string,
    description?: string,
  ): MetricHistogram;
  /** @param valueType Default: int. */
  createGauge(name: string, valueType?: NumericMetricValueType, unit?: string, description?: string): MetricGauge;
  createUpDownCounter(name: string, unit?: string, description?: string): MetricUpDownCounter;
  /** A meter all of whose metrics have these tags, too. */
  withTags(tags: MetricTags): MetricMeter;
}

/** Takes one value of a metric. A counter's is what is added. */
export type RecordMetric = (metric: Metric, value: number, tags: MetricTags) => void;

/** @param tags Looked at with every value: those of the context. Later ones win: the metric's, then the call's. */
export function makeMetricMeter(record: RecordMetric, tags: () => MetricTags = () => ({})): MetricMeter {
  return {
    createCounter: (name, unit, description) => counter({ name, unit, description, kind: 'counter' }, record, tags),
    createHistogram: (name, valueType = 'int', unit = undefined, description = undefined) =>
      histogram({ name, unit, description, kind: 'histogram', valueType }, record, tags),
    createGauge: (name, valueType = 'int', unit = undefined, description = undefined) =>
      gauge({ name, unit, description, kind: 'gauge', valueType }, record, tags),
    createUpDownCounter: (name, unit, description) =>
      upDownCounter({ name, unit, description, kind: 'up-down-counter' }, record, tags),
    withTags: (more) => makeMetricMeter(record, () => ({ ...tags(), ...more })),
  };
}

type Tags = () => MetricTags;
type Described<K extends MetricKind> = Omit<Metric, 'kind' | 'valueType'> & { kind: K };

function counter(described: Described<'counter'>, record: RecordMetric, tags: Tags): MetricCounter {
  const metric = { ...described, valueType: 'int' } as const;
  return {
    ...metric,
    add(value, extraTags = {}) {
      checkNotNegative('MetricCounter', value);
      record(metric, value, { ...tags(), ...extraTags });
    },
    withTags: (more) => counter(described, record, () => ({ ...tags(), ...more })),
  };
}

function upDownCounter(described: Described<'up-down-counter'>, record: RecordMetric, tags: Tags): MetricUpDownCounter {
  const metric = { ...described, valueType: 'int' } as const;
  return {
    ...metric,
    add: (value, extraTags = {}) => record(metric, value, { ...tags(), ...extraTags }),
    withTags: (more) => upDownCounter(described, record, () => ({ ...tags(), ...more })),
  };
}

function histogram(
  metric: Described<'histogram'> & { valueType: NumericMetricValueType },
  record: RecordMetric,
  tags: Tags,
): MetricHistogram {
  return {
    ...metric,
    record(value, extraTags = {}) {
      checkNotNegative('MetricHistogram', value);
      record(metric, value, { ...tags(), ...extraTags });
    },
    withTags: (more) => histogram(metric, record, () => ({ ...tags(), ...more })),
  };
}

function gauge(
  metric: Described<'gauge'> & { valueType: NumericMetricValueType },
  record: RecordMetric,
  tags: Tags,
): MetricGauge {
  return {
    ...metric,
    set(value, extraTags = {}) {
      checkNotNegative('MetricGauge', value);
      record(metric, value, { ...tags(), ...extraTags });
    },
    withTags: (more) => gauge(metric, record, () => ({ ...tags(), ...more })),
  };
}

function checkNotNegative(what: string, value: number): void {
  if (value < 0) throw new Error(`${what} value must be non-negative (got ${value})`);
}

/** Forgets every value. */
export const noopMetricMeter: MetricMeter = makeMetricMeter(() => {});
