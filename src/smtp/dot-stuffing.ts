/**
 * Dot-stuffing for the client: a line of content that begins with a dot gets a second one.
 *
 * Works by `Buffer.indexOf`, one copy where a dot is found and none where not.
 * @see RFC 5321 §4.5.2
 */

const dotLine = Buffer.from('\r\n.');
const dot = 0x2e;
const cr = 0x0d;
const lf = 0x0a;

/** What ends the content: after a last line with CRLF, and after one without. */
export const endOfContent = Buffer.from('.\r\n');
const endOfOpenLine = Buffer.from('\r\n.\r\n');

/** The content as it goes on the wire, without the end; the same buffer where no line needs a dot. */
export function stuffDots(content: Buffer): Buffer {
  const stuffer = new DotStuffer();
  return stuffer.stuff(content);
}

/** The bytes that end `content` on the wire: its last CRLF, if it has none, and the lone dot. */
export function endingOf(content: Buffer): Buffer {
  const { length } = content;
  const isClosed =
    length === 0 || (length >= 2 && content[length - 1] === lf && content[length - 2] === cr);
  return isClosed ? endOfContent : endOfOpenLine;
}

/** Dot-stuffing over chunks that may break anywhere, as for content from a spool file. */
export class DotStuffer {
  /** 2 at the start of a line, 1 after a CR that a LF may follow, 0 within a line. */
  #lineState: 0 | 1 | 2 = 2;

  /** The chunk as it goes on the wire; the same buffer where nothing is to be added. */
  stuff(chunk: Buffer): Buffer {
    if (chunk.length === 0) return chunk;
    const places = this.#placesIn(chunk);
    this.#lineState = stateAfter(chunk, this.#lineState);
    if (places.length === 0) return chunk;
    const stuffed = Buffer.allocUnsafe(chunk.length + places.length);
    let from = 0;
    let to = 0;
    for (const place of places) {
      to += chunk.copy(stuffed, to, from, place);
      stuffed[to++] = dot;
      from = place;
    }
    chunk.copy(stuffed, to, from);
    return stuffed;
  }

  /** What ends the content after the last chunk. */
  ending(): Buffer {
    return this.#lineState === 2 ? endOfContent : endOfOpenLine;
  }

  /** Offsets before which a dot is put. */
  #placesIn(chunk: Buffer): number[] {
    const places: number[] = [];
    if (this.#lineState === 2 && chunk[0] === dot) places.push(0);
    if (this.#lineState === 1 && chunk[0] === lf && chunk[1] === dot) places.push(1);
    for (let at = chunk.indexOf(dotLine); at !== -1; at = chunk.indexOf(dotLine, at + 3)) {
      places.push(at + 2);
    }
    return places;
  }
}

function stateAfter(chunk: Buffer, before: 0 | 1 | 2): 0 | 1 | 2 {
  const { length } = chunk;
  const last = chunk[length - 1];
  if (last === cr) return 1;
  if (last !== lf) return 0;
  return (length === 1 ? before === 1 : chunk[length - 2] === cr) ? 2 : 0;
}
