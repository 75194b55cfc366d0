/** The bytes of a content from a place on, in blocks: for whoever sends or rewrites it. */
import { open } from 'node:fs/promises';
import type { Content } from '../mail/content.ts';

const blockBytes = 128 * 1024;

/** `from` counts from the first byte of the message. Throws where a spool file is not whole. */
export async function* readContent(content: Content, from = 0): AsyncIterable<Buffer> {
  if (content.kind === 'memory') {
    yield content.bytes.subarray(from);
    return;
  }
  const { path, offset, sizeBytes } = content;
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size !== offset + sizeBytes) throw new Error('the spool file has another size');
    for await (const chunk of file.createReadStream({
      start: offset + from,
      highWaterMark: blockBytes,
      autoClose: false,
    })) {
      yield chunk as Buffer;
    }
  } finally {
    await file.close();
  }
}
