// The SDK as histories and build ids name it.

export const SDK_NAME = 'tenuto';
/** The package's version: version.test.ts compares. */
export const SDK_VERSION = '0.1.0';
