// What a workflow numbers, each on its own.

export const FIRST_SEQS = {
  ...{ timer: 1, activity: 1, child: 1, nexusOperation: 1 },
  ...{ signalExternal: 1, cancelExternal: 1, condition: 1 },
};
export type SeqKind = keyof typeof FIRST_SEQS;
