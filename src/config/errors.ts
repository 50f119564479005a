/** A setting that cannot be meant: names where it sits. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
