/** Content of a delivery as the smtp room sends it. */
import { open } from 'node:fs/promises';
import type { Content } from '../mail/content.ts';
import type { Body } from '../smtp/client-body.ts';

/** How the smtp room reads the content; a spool file is opened when its turn comes. */
export function bodyOf(content: Content): Body {
  if (content.kind === 'memory') return content;
  const { path, offset, sizeBytes } = content;
  return { kind: 'stream', sizeBytes, open: () => readSpool(path, offset, sizeBytes) };
}

const spoolBlockBytes = 128 * 1024;

async function* readSpool(path: string, offset: number, sizeBytes: number): AsyncIterable<Buffer> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size !== offset + sizeBytes) throw new Error('the spool file has another size');
    for await (const chunk of file.createReadStream({
      start: offset,
      highWaterMark: spoolBlockBytes,
      autoClose: false,
    })) {
      yield chunk as Buffer;
    }
  } finally {
    await file.close();
  }
}
