// Whether there are Node's Buffers, which pack.ts and unpack.ts are made of. In browsers there are none, and msgpackr alone reads and writes messages.

export const HAS_BUFFERS = typeof Buffer === 'function';
