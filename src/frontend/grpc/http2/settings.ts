// Settings: what each side says of itself.

import { broken, ConnectionError, ErrorCode, MAX_FRAME_BYTES, MAX_WINDOW, Setting } from './protocol.ts';

const SETTING_BYTES = 6;
const LARGEST_FRAME_BYTES = 2 ** 24 - 1;

/** Of a client, what matters to us: undefined is not said. */
export interface ClientSettings {
  headerTableBytes?: number;
  initialWindow?: number;
  maxHeaderBytes?: number;
}

export function settingsPayload(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.allocUnsafe(SETTING_BYTES * settings.length);
  for (const [i, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, i * SETTING_BYTES);
    payload.writeUInt32BE(value, i * SETTING_BYTES + 2);
  }
  return payload;
}

/** The last of each counts. Throws ConnectionError. */
export function readSettings(bytes: Buffer, start: number, end: number): ClientSettings {
  if ((end - start) % SETTING_BYTES !== 0) {
    throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'settings are cut off');
  }
  const settings: ClientSettings = {};
  for (let at = start; at < end; at += SETTING_BYTES) {
    const value = bytes.readUInt32BE(at + 2);
    switch (bytes.readUInt16BE(at)) {
      case Setting.HEADER_TABLE_SIZE:
        // The least counts too: what it has not room for meanwhile is gone.
        settings.headerTableBytes = Math.min(settings.headerTableBytes ?? value, value);
        break;
      case Setting.ENABLE_PUSH:
        if (value > 1) throw broken(`whether it may be pushed to is ${value}`);
        break;
      case Setting.INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW) throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, `a window has ${value} bytes`);
        settings.initialWindow = value;
        break;
      case Setting.MAX_FRAME_SIZE:
        if (value < MAX_FRAME_BYTES || value > LARGEST_FRAME_BYTES) throw broken(`a frame has up to ${value} bytes`);
        break;
      case Setting.MAX_HEADER_LIST_SIZE:
        settings.maxHeaderBytes = value;
        break;
      default:
      // Of what a server sends, or of an extension.
    }
  }
  return settings;
}
