// Hashing for placement. Every node must place alike, so nothing here depends on a platform, a locale or a seed of the process.
// Used by cluster/ring only; not for anything an attacker could gain from a collision in.

/** MurmurHash3's 32-bit finalizer (Appleby, public domain): every bit of the input reaches every bit of the output. */
export function mix32(value: number): number {
  let x = value ^ (value >>> 16);
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** 32 bits of a text's UTF-16 units, different for each `salt`. */
export function hashText(text: string, salt: number): number {
  let hash = mix32(salt ^ 0x9e3779b9);
  for (let i = 0; i < text.length; i += 1) hash = mix32(Math.imul(hash, 31) ^ text.charCodeAt(i));
  return mix32(hash ^ text.length);
}

/** A hash as a fraction in [0, 1). */
export const fraction = (hash: number): number => hash / 0x1_0000_0000;
