// How links are authenticated: by cluster key, by certificates, or not at all, and that on loopback only. Secrets never appear in a message.

import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

export type LinkSecurity =
  /** Each side proves that it has a key; all frames are encrypted and authenticated with keys drawn from it. */
  | {
      mode: 'clusterKey';
      /** The first is used where the peer has it too; all are accepted. To rotate: add the new one last everywhere, then move it first, then drop the old. */
      keys: readonly Uint8Array[];
    }
  /** Mutual TLS 1.3. PEM texts; `ca` signs the certificates of all nodes and of nobody else. */
  | {
      mode: 'mtls';
      ca: string;
      certificate: string;
      privateKey: string;
      /** `perNode`: a peer's certificate must name its node (subjectAltName or CN). `shared`: any certificate of `ca` speaks for any node. */
      names: 'perNode' | 'shared';
    }
  /** Everybody who reaches the port is believed: on loopback only. */
  | { mode: 'none' };

export const MIN_KEY_BYTES = 32;
export const MAX_KEYS = 8;
export const KEY_ID_BYTES = 8;

/** 127.0.0.0/8, ::1 and `localhost`, also when written as an IPv4-mapped IPv6 address. */
export function isLoopback(host: string): boolean {
  const plain = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (plain === 'localhost' || plain === '::1') return true;
  return /^(::ffff:)?127(\.\d{1,3}){3}$/.test(plain);
}

/** Why a link with this security may not be had at this host, or undefined. */
export function securityProblem(security: LinkSecurity, host: string, doing: 'listen' | 'dial'): string | undefined {
  switch (security.mode) {
    case 'none':
      if (isLoopback(host)) return undefined;
      return (
        `node-to-node links without a cluster key or certificates are for this machine only, not for ${doing === 'listen' ? 'listening on' : 'connecting to'} ` +
        `${host}: set a cluster key (32 random bytes, the same on every node) or certificates.`
      );
    case 'clusterKey': {
      const { keys } = security;
      if (keys.length === 0 || keys.length > MAX_KEYS)
        return `there must be 1 to ${MAX_KEYS} cluster keys, not ${keys.length}.`;
      const short = keys.findIndex((key) => key.length < MIN_KEY_BYTES);
      if (short < 0) return undefined;
      return `cluster key ${short + 1} has ${keys[short]?.length} bytes: ${MIN_KEY_BYTES} random bytes are needed.`;
    }
    case 'mtls': {
      const missing = (['ca', 'certificate', 'privateKey'] as const).find((part) => security[part].trim() === '');
      return missing === undefined ? undefined : `mutual TLS needs a PEM text for ${missing}.`;
    }
  }
}

const mac = (key: Uint8Array, label: string, ...parts: readonly Uint8Array[]): Buffer => {
  const hmac = createHmac('sha256', key).update(`tenuto link 1 ${label}\0`);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
};

/** Names a key without telling anything about it. */
export const keyId = (key: Uint8Array): Buffer => mac(key, 'key id').subarray(0, KEY_ID_BYTES);

export type Role = 'dialer' | 'acceptor';

/** That `role` has the key, and meant this very handshake at this time. */
export const proof = (key: Uint8Array, role: Role, transcript: Uint8Array, wallClock: Uint8Array): Buffer =>
  mac(key, `proof of the ${role}`, transcript, wallClock);

export const isProof = (expected: Uint8Array, given: Uint8Array): boolean =>
  expected.length === given.length && timingSafeEqual(expected, given);

/** The key of what `role` sends, fresh for each connection since both nonces are in the transcript. */
export const sendingKey = (key: Uint8Array, role: Role, transcript: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', key, transcript, `tenuto link 1 frames of the ${role}`, 32));
