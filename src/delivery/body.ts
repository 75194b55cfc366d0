/** Content of a delivery as the smtp room sends it. */
import { readContent } from '../content/read-content.ts';
import type { Content } from '../mail/content.ts';
import type { Body } from '../smtp/client-body.ts';

/** How the smtp room reads the content; a spool file is opened when its turn comes. */
export function bodyOf(content: Content): Body {
  if (content.kind === 'memory') return content;
  return { kind: 'stream', sizeBytes: content.sizeBytes, open: () => readContent(content) };
}
