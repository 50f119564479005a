// The package's version, said in handshakes, manifests and `--version`. test/tidy.test.ts holds it against package.json.
export const VERSION = '0.1.0';
