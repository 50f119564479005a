// Certificates made with node:crypto alone: no tool has to be installed, no private key is in the repository. A self-signed one for localhost,
// and an authority that issues one for each node.

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

const DAY_MS = 86_400_000;

/** One DER element: tag, length, contents. */
function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const contents = Buffer.concat(parts);
  const { length } = contents;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), contents]);
  if (length > 0xffff) throw new Error(`a DER element of ${length} bytes is not needed here`);
  const long = length > 0xff ? [0x82, length >> 8, length & 0xff] : [0x81, length];
  return Buffer.concat([Buffer.from([tag, ...long]), contents]);
}

const sequence = (...parts: Uint8Array[]): Buffer => der(0x30, ...parts);
/** Ids of algorithms and fields, by their DER contents. */
const OID = {
  ecdsaWithSha256: der(0x06, Buffer.from('2a8648ce3d040302', 'hex')),
  commonName: der(0x06, Buffer.from('550403', 'hex')),
  subjectAltName: der(0x06, Buffer.from('551d11', 'hex')),
  basicConstraints: der(0x06, Buffer.from('551d13', 'hex')),
};

/** UTCTime: `YYMMDDhhmmssZ`. */
function utcTime(at: number): Buffer {
  const text = new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '');
  return der(0x17, Buffer.from(text.slice(2)));
}

export interface Certified {
  /** PEM. */
  certificate: string;
  privateKey: string;
}

interface Issuer {
  name: string;
  privateKey: KeyObject;
}

const named = (name: string): Buffer => sequence(der(0x31, sequence(OID.commonName, der(0x0c, Buffer.from(name)))));

/** A certificate for a name and 127.0.0.1, valid today; signed by itself without an issuer. */
function issue(name: string, isAuthority: 'authority' | 'leaf', issuer?: Issuer): Certified & { key: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const signer = issuer ?? { name, privateKey };
  const alternatives = sequence(der(0x82, Buffer.from(name)), der(0x87, Buffer.from([127, 0, 0, 1])));
  const constraints = isAuthority === 'authority' ? sequence(der(0x01, Buffer.from([0xff]))) : sequence();
  const extensions = sequence(
    sequence(OID.subjectAltName, der(0x04, alternatives)),
    sequence(OID.basicConstraints, der(0x01, Buffer.from([0xff])), der(0x04, constraints)),
  );
  const serial = randomBytes(8);
  // Positive, and as short as DER wants it.
  serial[0] = 0x40;
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    sequence(OID.ecdsaWithSha256),
    named(signer.name),
    sequence(utcTime(Date.now() - DAY_MS), utcTime(Date.now() + DAY_MS)),
    named(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  // A bit string begins with the number of bits its last byte does not use.
  const signature = der(0x03, Buffer.from([0]), sign('sha256', toBeSigned, signer.privateKey));
  const body = sequence(toBeSigned, sequence(OID.ecdsaWithSha256), signature).toString('base64');
  const lines = body.match(/.{1,64}/g)?.join('\n') ?? '';
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    key: privateKey,
  };
}

/** PEM of a certificate for localhost and 127.0.0.1, valid today, and of its key. */
export const selfSigned = (): Certified => issue('localhost', 'authority');

/** An authority of its own, and certificates it signs. */
export function makeAuthority(): { certificate: string; issue(name: string): Certified } {
  const name = `authority ${randomBytes(4).toString('hex')}`;
  const { certificate, key } = issue(name, 'authority');
  return { certificate, issue: (subject) => issue(subject, 'leaf', { name, privateKey: key }) };
}
