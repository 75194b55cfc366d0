/** The text of a configuration file, within bounds. */
import { open } from 'node:fs/promises';

/** Larger files are refused unread. */
export const fileBytesMax = 4 * 1024 * 1024;

/** Text without its byte order mark, or what is wrong with the file. */
export async function readText(
  file: string,
): Promise<{ readonly text: string } | { readonly problem: string }> {
  try {
    await using handle = await open(file, 'r');
    const stats = await handle.stat();
    if (!stats.isFile()) return { problem: 'is not a file' };
    if (stats.size > fileBytesMax)
      return { problem: 'is larger than 4 MiB; that is no configuration' };
    const bytes = Buffer.alloc(Math.min(stats.size + 1, fileBytesMax));
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return decode(bytes.subarray(0, length));
  } catch (error) {
    return { problem: explainReadError(error) };
  }
}

function decode(bytes: Buffer): { readonly text: string } | { readonly problem: string } {
  const isUtf16 =
    (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (isUtf16)
    return { problem: 'is UTF-16 text (it starts with a byte order mark); save it as UTF-8' };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { problem: 'is not UTF-8 text; save it as UTF-8' };
  }
}

function explainReadError(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'cannot be read: permission denied';
  if (code === 'EISDIR') return 'is a folder, not a file';
  if (typeof code === 'string') return `cannot be read: ${code}`;
  throw error;
}
