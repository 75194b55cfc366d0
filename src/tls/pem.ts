/** PEM: labelled blocks of base64. @see RFC 7468 §3 */

/** One block; `label` as in `CERTIFICATE`, `PRIVATE KEY`. */
export interface PemBlock {
  readonly label: string;
  readonly der: Buffer;
}

const begin = /^-----BEGIN ([A-Z0-9][A-Z0-9 ]{0,62})-----[ \t]*$/;

/** The blocks in order; text between them is left out, a block without its end too. */
export function pemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let label: string | null = null;
  let lines: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const started = begin.exec(line);
    if (started !== null) {
      label = started[1]!;
      lines = [];
    } else if (label !== null && line.trimEnd() === `-----END ${label}-----`) {
      blocks.push({ label, der: Buffer.from(lines.join(''), 'base64') });
      label = null;
    } else if (label !== null) {
      lines.push(line);
    }
  }
  return blocks;
}

/** One block with lines of 64 characters. */
export function toPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
