// The shape of a workflow bundle, shared by the bundler (which needs esbuild) and the realm (which must load without it).

/** Lines of the script before the workflow part's own: what the source map is short of. */
export const BUNDLE_LINE_OFFSET = 1;
