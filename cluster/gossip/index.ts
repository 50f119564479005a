// What the rest of the cluster and the composition root see of gossip.

export { type GossipConfig, GossipConfigError, gossipConfig, LAN, LOCAL } from './core/config.ts';
export type { MemberSnapshot, MemberState } from './core/member.ts';
export type { NodeAddresses, NodeMeta } from './core/meta.ts';
export type { Notice } from './core/notices.ts';
export type { MemberChange } from './core/outputs.ts';
export type { RefusalReason } from './core/refusal.ts';
export { Gossip, GossipRefusedError } from './gossip.ts';
export { type Key, Keyring, KeyringError, keyId, parseKey } from './keyring.ts';
export { DEFAULT_GOSSIP_PORT, type GossipNode, type GossipOptions, type MetaChanges } from './options.ts';
export { ANNOUNCE_INTERVAL_MS, type AnnouncedNode, type PeerDirectory } from './peer-directory.ts';
export { type Answer, GossipStartError, type Transport, type TransportEvents } from './transport.ts';
