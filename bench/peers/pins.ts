// The peers, and which of their packages are installed when somebody asks for one: never as dependencies of Tenuto, always at these versions.

export const PEER_NAMES = ['restate', 'dbos', 'temporal'] as const;
export type PeerName = (typeof PEER_NAMES)[number];

/** Exact versions; the first package is the one whose version names the peer in reports. */
export const PINS: Readonly<Record<PeerName, Readonly<Record<string, string>>>> = {
  restate: { '@restatedev/restate-server': '1.7.12', '@restatedev/restate-sdk': '1.17.2' },
  dbos: { '@dbos-inc/dbos-sdk': '5.3.0' },
  temporal: {
    '@temporalio/worker': '1.24.0',
    '@temporalio/client': '1.24.0',
    '@temporalio/workflow': '1.24.0',
    '@temporalio/activity': '1.24.0',
  },
};

/** A peer cannot take part. The message says what is missing and what to do about it. */
export class PeerError extends Error {
  override readonly name = 'PeerError';
}
