// All scenarios, in the order in which they run.

import type { Scenario } from '../lib/model.ts';
import { backlog } from './backlog.ts';
import { batch } from './batch.ts';
import { children } from './children.ts';
import { cluster } from './cluster.ts';
import { continued } from './continued.ts';
import { cores } from './cores.ts';
import { failover } from './failover.ts';
import { footprint } from './footprint.ts';
import { growth } from './growth.ts';
import { hot } from './hot.ts';
import { latency } from './latency.ts';
import { local } from './local.ts';
import { none } from './none.ts';
import { offload } from './offload.ts';
import { orders } from './orders.ts';
import { overload } from './overload.ts';
import { parallel } from './parallel.ts';
import { payloads } from './payloads.ts';
import { queries } from './queries.ts';
import { reload } from './reload.ts';
import { replay } from './replay.ts';
import { resets } from './resets.ts';
import { schedules } from './schedules.ts';
import { searching } from './searching.ts';
import { sequence } from './sequence.ts';
import { signals } from './signals.ts';
import { sleeping } from './sleeping.ts';
import { soak } from './soak.ts';
import { standalone } from './standalone.ts';
import { start } from './start.ts';
import { state } from './state.ts';
import { throughput } from './throughput.ts';
import { timers } from './timers.ts';
import { updates } from './updates.ts';
import { visibility } from './visibility.ts';

export const SCENARIOS: readonly Scenario[] = [
  start,
  latency,
  throughput,
  none,
  sequence,
  parallel,
  local,
  standalone,
  children,
  continued,
  payloads,
  offload,
  signals,
  queries,
  state,
  updates,
  timers,
  replay,
  reload,
  visibility,
  searching,
  resets,
  batch,
  orders,
  hot,
  overload,
  failover,
  sleeping,
  footprint,
  schedules,
  backlog,
  cores,
  cluster,
  growth,
  soak,
];
