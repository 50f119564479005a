// Names of replicas. A voter is a data directory (DESIGN §1): its id is made with it, so an empty or restored one is nobody's old voter.

declare const brand: unique symbol;

/** The id of a data directory: who votes and who is counted. Never a node's name. */
export type DirectoryId = string & { readonly [brand]: 'DirectoryId' };

/** Cast at the one place where a raw value becomes one. */
export const directoryId = (text: string): DirectoryId => text as DirectoryId;
