/**
 * The one sanitizer for text that a peer controls: replies, EHLO names, certificate names.
 *
 * Such text passes here once, where it is taken in, before it enters headers, DSNs, logs, traces or
 * a terminal.
 */

/** Longest sanitized text, in UTF-16 code units; longer text ends in `…`. */
export const peerTextLengthMax = 512;

// Controls (CR, LF, ESC, NUL …), DEL and C1, soft hyphen, bidi and zero-width controls, line and
// paragraph separators, tags, interlinear annotation, BOM, lone surrogates.
const unsafe =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Cs}/gu;

/** Printable text of at most 512 characters: every unsafe character becomes `?`. */
export function sanitizePeerText(text: string): string {
  const bounded = text.length > 4 * peerTextLengthMax ? text.slice(0, 4 * peerTextLengthMax) : text;
  const clean = bounded.replace(unsafe, '?');
  if (clean.length <= peerTextLengthMax) return clean;
  return `${clean.slice(0, peerTextLengthMax - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
