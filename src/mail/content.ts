/** Where the bytes of a message are. */

/**
 * The whole content, header and body, CRLF line ends, without dot-stuffing and final dot.
 * Small ones stay in memory; larger ones are in a spool file, never whole in memory.
 */
export type Content =
  | { readonly kind: 'memory'; readonly bytes: Buffer }
  | {
      readonly kind: 'spool';
      readonly path: string;
      /** Bytes before the content in the file (magic, format version, key id). */
      readonly offset: number;
      readonly sizeBytes: number;
    };

export function sizeOf(content: Content): number {
  return content.kind === 'memory' ? content.bytes.length : content.sizeBytes;
}
