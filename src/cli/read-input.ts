/** Reads standard input whole, within bounds. */
import type { Readable } from 'node:stream';
import { Failure } from '../mail/failure.ts';

/** Text that `send` takes from standard input at most. */
export const inputBytesMax = 16 * 1024 * 1024;

/**
 * UTF-8 text. Throws `input-too-large`, and `input-silent` where nothing ends within `timeoutMs` (a
 * pipe that nobody closes).
 */
export async function readInput(input: Readable, timeoutMs: number): Promise<string> {
  return (await readInputBytes(input, timeoutMs)).toString('utf8');
}

/** As `readInput`, byte by byte. */
export async function readInputBytes(input: Readable, timeoutMs: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const message = `standard input did not end within ${timeoutMs / 1000} s`;
      reject(new Failure('input-silent', message));
    }, timeoutMs);
  });
  const reading = (async () => {
    for await (const chunk of input as AsyncIterable<Buffer | string>) {
      const bytes = Buffer.from(chunk as Buffer);
      size += bytes.length;
      if (size > inputBytesMax) {
        const message = `standard input has more than ${inputBytesMax} bytes`;
        throw new Failure('input-too-large', message);
      }
      chunks.push(bytes);
    }
  })();
  try {
    await Promise.race([reading, silence]);
  } finally {
    clearTimeout(timer);
    reading.catch(() => undefined);
    input.destroy();
  }
  return Buffer.concat(chunks);
}
