// Numbered behaviours of Temporal's TypeScript SDK that histories record as `langUsedFlags`, so that what was once done is done
// again on replay. Tenuto always behaves as with both flags set; they are written for other SDKs that replay our histories.

export const SDK_FLAGS = {
  nonCancellableScopesShield: 1,
  /** Signals and everything else of a workflow task are applied together, before any continuation runs. */
  singleBatch: 2,
} as const;
export type SdkFlag = (typeof SDK_FLAGS)[keyof typeof SDK_FLAGS];
