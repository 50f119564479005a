// Every knob of the protocol, with what moving it costs. n is the number of members believed alive. Two profiles: LAN for clusters,
// LOCAL for tests on loopback. Where a default is memberlist's, it is because years of clusters have run on it.

export interface GossipConfig {
  /**
   * One member is probed per interval. Detection takes about `probeIntervalMs` until somebody probes the dead, one more for the verdict, then
   * the suspicion. Halving it doubles the idle traffic: 4 packets (ping and ack, both ways) per node and interval, whatever n is.
   */
  readonly probeIntervalMs: number;
  /**
   * Silence after which others are asked to probe too. Should be above the 99th percentile of round trips: lower costs needless indirect
   * probes (2 + 4 × `indirectProbes` packets each), higher leaves them less time: `probeIntervalMs - probeTimeoutMs`.
   */
  readonly probeTimeoutMs: number;
  /** Members asked to probe in our stead. A live target fails them all with (1 - (1 - loss)^4)^indirectProbes. */
  readonly indirectProbes: number;
  /** Our own sickness stretches `probeIntervalMs` up to this factor (Lifeguard). Higher: a sick node accuses less, and detects later. */
  readonly awarenessMax: number;
  /**
   * A suspect that several members confirm dies after `suspicionMult × max(1, log10 n) × probeIntervalMs`: the time it has to refute. Lower finds the
   * dead sooner and calls the slow dead: 3 s at n ≤ 10, 9 s at n = 1,000 with 3.
   */
  readonly suspicionMult: number;
  /** A suspect that nobody confirms dies after that time × this: how long a member which alone sees it dead must wait. */
  readonly suspicionMaxMult: number;
  /** Independent confirmations that bring the timeout from its greatest to its least value. Fewer where fewer members could confirm. */
  readonly suspicionConfirmations: number;
  /** News that found no probe to ride on leaves every so often. A broadcast reaches all after about `gossipIntervalMs × log n / log(gossipNodes + 1)`. */
  readonly gossipIntervalMs: number;
  /** Members told at each gossip interval. While there is news: `gossipNodes / gossipIntervalMs` packets per node. */
  readonly gossipNodes: number;
  /** How long the dead are still gossiped to, so that one who is not may refute. */
  readonly gossipToTheDeadMs: number;
  /**
   * Each node passes a piece of news on 3 + `retransmitMult × log10(n + 1)` times, and it costs the cluster n times that. About
   * n × e^-(that × (1 - loss)) members miss it, until the next sync.
   */
  readonly retransmitMult: number;
  /**
   * Tables are compared with a random member every so often (push/pull), less often in clusters past 32: × (1 + log2(n / 32)). A comparison costs
   * about 16 bytes per member, and 150 for each that differs.
   */
  readonly syncIntervalMs: number;
  /** A dead member's name may be taken by another data directory after this. Shorter: a disk is replaced the sooner; longer: a mistaken twin is noticed. */
  readonly reclaimMs: number;
  /** The dead are remembered, listed and called for rejoining this long. Costs memory: about 1 KB each, within `maxMembers`. */
  readonly deadRetainMs: number;
  /** Those that left are remembered this long. Must exceed the slowest sync interval, or old news of them raises them from the dead. */
  readonly leftRetainMs: number;
  /** A dead member or an unknown seed is called every so often, with a probability of their share in the cluster: how a split heals. */
  readonly reconnectIntervalMs: number;
  /** While alone, seeds are called again after a pause that doubles from here … */
  readonly joinRetryMinMs: number;
  /** … to here. Longer: a seed that comes up is found later. */
  readonly joinRetryMaxMs: number;
  /** Changes of our metadata are announced at most this often; the first at once, the last always. */
  readonly metaIntervalMs: number;
  /** Our load is announced at most this often (with up to half as much again of jitter) … */
  readonly loadIntervalMs: number;
  /** … and at most n × this, so that loads cost every node at most 1 / this messages a ms, however large the cluster: 4 a second with 250. */
  readonly loadIntervalPerMemberMs: number;
  /** Percentage points of change that make a load worth announcing. */
  readonly loadStep: number;
  /** Members known, dead ones included; newcomers past it are refused (I9). */
  readonly maxMembers: number;
  /** News waiting to be told; past it the one told most often is dropped (I9). Syncs bring what was lost. */
  readonly maxBroadcasts: number;
  /** Bytes of a UDP payload. Above the path's MTU (1,500 less 28 or 48 of headers) packets are cut in pieces, and one lost piece loses all. */
  readonly packetBytes: number;
  /** A stream (sync, fallback ping) must be over in this time. */
  readonly streamTimeoutMs: number;
  /** Streams served at once (I9). Each may hold a request of 512 KiB. */
  readonly maxStreams: number;
  /** How long a leaving node goes on telling that it left. */
  readonly leaveTimeoutMs: number;
  /** A peer whose wall clock differs by more is reported. */
  readonly clockSkewMs: number;
}

export const LAN: GossipConfig = {
  probeIntervalMs: 1_000,
  probeTimeoutMs: 500,
  indirectProbes: 3,
  awarenessMax: 8,
  suspicionMult: 3,
  suspicionMaxMult: 6,
  suspicionConfirmations: 2,
  gossipIntervalMs: 200,
  gossipNodes: 3,
  gossipToTheDeadMs: 30_000,
  retransmitMult: 4,
  syncIntervalMs: 30_000,
  reclaimMs: 30_000,
  deadRetainMs: 24 * 3_600_000,
  leftRetainMs: 600_000,
  reconnectIntervalMs: 30_000,
  joinRetryMinMs: 500,
  joinRetryMaxMs: 10_000,
  metaIntervalMs: 1_000,
  loadIntervalMs: 5_000,
  loadIntervalPerMemberMs: 250,
  loadStep: 5,
  maxMembers: 4_096,
  maxBroadcasts: 8_192,
  packetBytes: 1_400,
  streamTimeoutMs: 10_000,
  maxStreams: 64,
  leaveTimeoutMs: 5_000,
  clockSkewMs: 1_000,
};

/** Everything ten times as fast: for nodes on one machine, where round trips are short and tests impatient. */
export const LOCAL: GossipConfig = {
  ...LAN,
  probeIntervalMs: 200,
  probeTimeoutMs: 80,
  suspicionMult: 4,
  gossipIntervalMs: 20,
  gossipToTheDeadMs: 5_000,
  syncIntervalMs: 3_000,
  reclaimMs: 2_000,
  reconnectIntervalMs: 1_000,
  joinRetryMinMs: 50,
  joinRetryMaxMs: 500,
  metaIntervalMs: 50,
  loadIntervalMs: 500,
  streamTimeoutMs: 2_000,
  leaveTimeoutMs: 1_000,
};

/** A setting that cannot be meant: names it. */
export class GossipConfigError extends Error {
  override readonly name = 'GossipConfigError';
}

/** Header, key id, sender, counter and tag of a packet, and a record of the greatest size, must fit. */
const MIN_PACKET_BYTES = 1_000;
const MAX_PACKET_BYTES = 65_507;

/** A profile with changes. @throws GossipConfigError for values that contradict each other. */
export function gossipConfig(profile: GossipConfig, changes: Partial<GossipConfig> = {}): GossipConfig {
  const config = { ...profile, ...changes };
  for (const [name, value] of Object.entries(config)) {
    if (!Number.isFinite(value) || value <= 0) throw new GossipConfigError(`gossip.${name}: ${value} must be above 0`);
  }
  const rules: readonly [boolean, string][] = [
    [
      config.probeTimeoutMs < config.probeIntervalMs,
      `gossip.probeTimeoutMs: ${config.probeTimeoutMs} must be below probeIntervalMs (${config.probeIntervalMs}), or indirect probes have no time`,
    ],
    [
      config.packetBytes >= MIN_PACKET_BYTES && config.packetBytes <= MAX_PACKET_BYTES,
      `gossip.packetBytes: ${config.packetBytes} must be from ${MIN_PACKET_BYTES} to ${MAX_PACKET_BYTES}`,
    ],
    [
      config.leftRetainMs > config.syncIntervalMs,
      `gossip.leftRetainMs: ${config.leftRetainMs} must be above syncIntervalMs (${config.syncIntervalMs})`,
    ],
    [
      config.joinRetryMinMs <= config.joinRetryMaxMs,
      `gossip.joinRetryMinMs: ${config.joinRetryMinMs} must not be above joinRetryMaxMs (${config.joinRetryMaxMs})`,
    ],
  ];
  for (const [holds, problem] of rules) if (!holds) throw new GossipConfigError(problem);
  return config;
}
