/** The header of a content, for DSNs: bounded, never the body. */
import { open } from 'node:fs/promises';
import type { Content } from '../mail/content.ts';

const headerBytesMax = 64 * 1024;
const emptyLine = Buffer.from('\r\n\r\n');

/** With the empty line at its end; null where there is none within 64 KB, or the file is unreadable. */
export async function readHeader(content: Content): Promise<Buffer | null> {
  const start =
    content.kind === 'memory'
      ? content.bytes.subarray(0, headerBytesMax)
      : await readStart(content.path, content.offset);
  const end = start === null ? -1 : start.indexOf(emptyLine);
  return end === -1 ? null : start!.subarray(0, end + emptyLine.length);
}

/** A DSN without the header is better than none: an unreadable file is no failure here. */
async function readStart(path: string, offset: number): Promise<Buffer | null> {
  try {
    const file = await open(path, 'r');
    try {
      const bytes = Buffer.alloc(headerBytesMax);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
      return bytes.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}
