/**
 * Text as bytes, for payload converters: what Temporal's SDK has at `@temporalio/common/lib/encoding`. Works in workflow code, clients and
 * activities alike.
 *
 * @module
 */
export { decodeUtf8 as decode, encodeUtf8 as encode } from './index.ts';
