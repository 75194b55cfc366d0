/** What a DSN returns of a content: its header, or all of it where it is small. */
import { open } from 'node:fs/promises';
import type { Content } from '../mail/content.ts';
import { sizeOf } from '../mail/content.ts';

const readBytesMax = 64 * 1024;
const emptyLine = Buffer.from('\r\n\r\n');

/** Each null where it cannot be had. */
export interface Original {
  /** With the empty line at its end; null where there is none within 64 KB. */
  readonly header: Buffer | null;
  /** The whole content; null where it is above 64 KB. */
  readonly content: Buffer | null;
}

/** At most the first 64 KB are read. */
export async function readOriginal(content: Content): Promise<Original> {
  const start =
    content.kind === 'memory'
      ? content.bytes.subarray(0, readBytesMax)
      : await readStart(content.path, content.offset);
  if (start === null) return { header: null, content: null };
  const end = start.indexOf(emptyLine);
  return {
    header: end === -1 ? null : start.subarray(0, end + emptyLine.length),
    content: start.length === sizeOf(content) ? start : null,
  };
}

/** A DSN without the header is better than none: an unreadable file is no failure here. */
async function readStart(path: string, offset: number): Promise<Buffer | null> {
  try {
    const file = await open(path, 'r');
    try {
      const bytes = Buffer.alloc(readBytesMax);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
      return bytes.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}
