// Bounds of placement (I9). All are about the desired placement only: none of them can make a commit or a read unsafe.

/** More members than this are refused: the table names them by 16-bit numbers. */
export const MAX_MEMBERS = 16_384;
/** Replicas of a shard: R of DESIGN §7. */
export const MAX_REPLICAS = 7;
export const MAX_SHARDS = 65_536;
/** A member's weight, 1 being ordinary. Beyond this a single member would decide over the whole table. */
export const MIN_WEIGHT = 0.01;
export const MAX_WEIGHT = 100;
/**
 * Nobody gets more than this times its fair share, of replicas and of leaderships. Lower balances better and moves more when members
 * change: at 1.2, with 16 shards a member, about one member in sixty is at its bound.
 */
export const LOAD_BOUND = 1.2;
/** Tokens looked at, per shard and step. Only speed depends on it. */
export const TOKENS_PER_WINDOW = 4;
/** Steps after which what is left goes to whoever has room, whatever the tokens say. Reached only when almost nobody has. */
export const MAX_WINDOWS = 32;
/** Sets of tokens a new member may choose from. More make the balance and the moves of a join better, by less and less. */
export const SEEDS = 64;
