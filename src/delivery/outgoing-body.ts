/**
 * Content as one route sends it: with the header that may leave by that route.
 *
 * The header alone is read and rewritten; the rest goes out from where it is, memory or spool file.
 */
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { headerEnd } from '../content/header-block.ts';
import type { OutgoingRules } from '../content/outgoing-header.ts';
import { outgoingHeader } from '../content/outgoing-header.ts';
import type { Content } from '../mail/content.ts';
import { sizeOf } from '../mail/content.ts';
import type { Trouble } from '../policy/classify.ts';
import type { OutboundDecision } from '../policy/decision.ts';
import type { Body } from '../smtp/client-body.ts';
import { bodyOf } from './body.ts';

/** The content as it is to go out, or why it cannot be read. */
export type OutgoingBody = Body | { readonly kind: 'unreadable'; readonly trouble: Trouble };

/** With the header that may leave by the route of the decision. Never rejects. */
export async function outgoingBody(
  content: Content,
  decision: OutboundDecision,
  hostName: string,
): Promise<OutgoingBody> {
  // The server that keeps the mailboxes is the organization's own.
  if (decision.destination.kind === 'hand-over') return bodyOf(content);
  const { cloudServicesMailEnabled: keepsCrossPremises, originatorOrg } = decision;
  const rules = { hostName, keepsCrossPremises, originatorOrg };
  if (content.kind === 'memory') return memoryBody(content, rules);
  try {
    return await spooledBody(content, rules);
  } catch (error) {
    const text = error instanceof Error ? error.message : 'unknown error';
    const reason = `the content could not be read: ${text}`;
    return { kind: 'unreadable', trouble: { kind: 'local', code: '4.3.0', reason } };
  }
}

function memoryBody(content: Content & { readonly kind: 'memory' }, rules: OutgoingRules): Body {
  const { bytes } = content;
  const end = headerEnd(bytes);
  const pieces = outgoingHeader(bytes.subarray(0, end), rules);
  return pieces === null ? content : withHeader(content, end, pieces);
}

async function spooledBody(
  content: Content & { readonly kind: 'spool' },
  rules: OutgoingRules,
): Promise<Body> {
  const header = await readHeader(content);
  const pieces = outgoingHeader(header, rules);
  return pieces === null ? bodyOf(content) : withHeader(content, header.length, pieces);
}

/** The pieces, then what lies behind the first `end` bytes of the content. */
function withHeader(content: Content, end: number, pieces: readonly Buffer[]): Body {
  const header = Buffer.concat(pieces);
  return {
    kind: 'stream',
    sizeBytes: header.length + sizeOf(content) - end,
    async *open() {
      yield header;
      const rest = bodyOf(behind(content, end));
      if (rest.kind === 'memory') yield rest.bytes;
      else yield* rest.open();
    },
  };
}

function behind(content: Content, end: number): Content {
  if (content.kind === 'memory') return { kind: 'memory', bytes: content.bytes.subarray(end) };
  return { ...content, offset: content.offset + end, sizeBytes: content.sizeBytes - end };
}

const blockBytes = 16 * 1024;
/** Above what is taken (256 KB) and what we add to it. */
const headerBytesMax = 1024 * 1024;

async function readHeader({
  path,
  offset,
  sizeBytes,
}: Content & { readonly kind: 'spool' }): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    for (let length = blockBytes; ; length *= 4) {
      const wanted = Math.min(length, sizeBytes);
      const read = await readAt(file, offset, wanted);
      const end = headerEnd(read);
      // Without an empty line so far it may come later; in a content of header alone it never does.
      if (end < read.length || wanted === sizeBytes) return read.subarray(0, end);
      if (wanted >= headerBytesMax) throw new Error('the header in the spool file is too large');
    }
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, offset);
  if (bytesRead !== length) throw new Error('the spool file has another size');
  return buffer;
}
