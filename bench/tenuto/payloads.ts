// What is large stays outside the server, in a directory.

import { type DataConverter, ExternalStorage } from 'tenuto/common';
import { FileSystemStorageDriver } from 'tenuto/external-storage';

export function storedIn(directory: string): DataConverter {
  return { externalStorage: new ExternalStorage({ drivers: [new FileSystemStorageDriver({ directory })] }) };
}
