/**
 * Content on its way to the wire: from memory in one piece, or streamed with back-pressure.
 *
 * @see RFC 5321 §4.5.3.2 (data block timeout)
 */
import type { Duplex } from 'node:stream';
import { DotStuffer } from './dot-stuffing.ts';

/** Content as the client sends it: CRLF line ends, without dot-stuffing and final dot. */
export type Body =
  | { readonly kind: 'memory'; readonly bytes: Buffer }
  | {
      readonly kind: 'stream';
      /** Exactly what `open` yields, at least 1; otherwise the connection ends, not the message. */
      readonly sizeBytes: number;
      open(): AsyncIterable<Buffer>;
    };

export function sizeOfBody(body: Body): number {
  return body.kind === 'memory' ? body.bytes.length : body.sizeBytes;
}

export interface StreamBodyOptions {
  /** True for DATA, false for BDAT. */
  readonly hasDots: boolean;
  readonly blockTimeoutMs: number;
  /** True once nothing more should be sent. */
  isStopped(): boolean;
  /** Called with the last byte written, before anything else can happen. */
  onSent(): void;
}

/** `failed`: the source failed or the peer took nothing in time; the content did not go out whole. */
export type StreamBodyResult =
  | { readonly kind: 'sent' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly cause: 'local' | 'timeout'; readonly detail: string };

/** Writes the whole of `body` and, for DATA, its ending. Never holds more than a few blocks. */
export async function streamBody(
  stream: Duplex,
  body: Body & { readonly kind: 'stream' },
  options: StreamBodyOptions,
): Promise<StreamBodyResult> {
  const stuffer = options.hasDots ? new DotStuffer() : null;
  let sentBytes = 0;
  try {
    for await (const chunk of body.open()) {
      sentBytes += chunk.length;
      if (sentBytes > body.sizeBytes) break;
      if (options.isStopped()) return { kind: 'stopped' };
      const isRoomLeft = stream.write(stuffer === null ? chunk : stuffer.stuff(chunk));
      if (sentBytes === body.sizeBytes) {
        // The server may answer from now on; whether the source has more is not waited for.
        if (stuffer !== null) stream.write(stuffer.ending());
        options.onSent();
        return { kind: 'sent' };
      }
      if (!isRoomLeft && !(await hasDrained(stream, options.blockTimeoutMs))) {
        const detail = 'the server did not take the content in time';
        return { kind: 'failed', cause: 'timeout', detail };
      }
    }
  } catch (error) {
    if (sentBytes === body.sizeBytes) return { kind: 'sent' };
    const text = error instanceof Error ? error.message : 'unknown error';
    return { kind: 'failed', cause: 'local', detail: `the content could not be read: ${text}` };
  }
  const detail = `the content is not of the size that was announced (${body.sizeBytes} bytes)`;
  return { kind: 'failed', cause: 'local', detail };
}

/** False where neither room nor an end of the stream came in time. */
function hasDrained(stream: Duplex, timeoutMs: number): Promise<boolean> {
  if (stream.destroyed) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (inTime: boolean): void => {
      clearTimeout(timer);
      stream.off('drain', onEvent);
      stream.off('close', onEvent);
      resolve(inTime);
    };
    const onEvent = (): void => settle(true);
    const timer = setTimeout(() => settle(false), timeoutMs);
    stream.on('drain', onEvent);
    stream.on('close', onEvent);
  });
}
