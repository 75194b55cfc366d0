/** The bytes of a content, read piece by piece: from memory or from its spool file. Synchronous: for the worker. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Content } from '../mail/content.ts';

/** Reading behind the end gives less, or nothing. */
export interface ByteSource {
  readonly size: number;
  read(offset: number, length: number): Buffer;
  close(): void;
}

export function sourceOfBytes(bytes: Uint8Array): ByteSource {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    size: whole.length,
    read: (offset, length) => whole.subarray(offset, offset + length),
    close: () => undefined,
  };
}

/** Throws what `node:fs` throws. */
export function openSource(content: Content): ByteSource {
  if (content.kind === 'memory') return sourceOfBytes(content.bytes);
  const file = openSync(content.path, 'r');
  const { offset: start, sizeBytes: size } = content;
  return {
    size,
    read(offset, length) {
      const wanted = Math.max(0, Math.min(length, size - offset));
      const bytes = Buffer.allocUnsafe(wanted);
      let filled = 0;
      while (filled < wanted) {
        const count = readSync(file, bytes, filled, wanted - filled, start + offset + filled);
        if (count === 0) break;
        filled += count;
      }
      return bytes.subarray(0, filled);
    },
    close: () => closeSync(file),
  };
}
