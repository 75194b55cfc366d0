/**
 * What a message says and carries: its texts, and its attachments by name and type.
 *
 * Within bounds; beyond them, and where readers differ, it says why the facts are not whole. Only
 * the parts that are text are read into memory; of attachments only where they end is looked for.
 * @see RFC 2046 §5.1 (multipart), §5.2.1 (message/rfc822)
 */
import type { ByteSource } from './byte-source.ts';
import { decodeText } from './charset.ts';
import { decodeQuoted } from './encoded-words.ts';
import { htmlToText } from './html-text.ts';
import type { PartFields } from './mime-fields.ts';
import { readPartFields } from './mime-fields.ts';

export interface Attachment {
  /** All that some reader may show. */
  readonly names: readonly string[];
  /** As declared: `application/pdf`. */
  readonly type: string;
}

/** A doubt completes "it cannot be known, because …"; null where the facts are whole. */
export interface ContentFacts {
  /** Each text of the body: text/plain, and what text/html shows. */
  readonly texts: readonly string[];
  readonly textDoubt: string | null;
  readonly attachments: readonly Attachment[];
  readonly attachmentDoubt: string | null;
}

export interface FactBounds {
  readonly headerBytesMax: number;
  readonly textBytesMax: number;
  readonly partsMax: number;
  readonly depthMax: number;
  /** Whether time is up; asked now and then. */
  isLate(): boolean;
}

export const defaultBounds: Omit<FactBounds, 'isLate'> = {
  headerBytesMax: 256 * 1024,
  textBytesMax: 1024 * 1024,
  partsMax: 250,
  depthMax: 30,
};

/** Never throws but for what the source throws. */
export function readFacts(source: ByteSource, bounds: FactBounds): ContentFacts {
  const reader = new FactReader(source, bounds);
  reader.readMessage(0, false);
  return reader.facts();
}

/** A boundary line, or the end of the content. */
interface Delimiter {
  /** Where the line begins, and where the next one does. */
  readonly start: number;
  readonly next: number;
  /** Index in the stack of boundaries; -1 for the end of the content. */
  readonly level: number;
  readonly isLast: boolean;
}

/** A piece of the content as latin1; lines that begin before `length` are whole in it, as far as it matters. */
interface Chunk {
  readonly offset: number;
  readonly text: string;
  readonly length: number;
  /** Nothing follows it. */
  readonly isLast: boolean;
}

/** What a part is in: a message that is attached, a digest. */
interface Surroundings {
  readonly isNested: boolean;
  readonly isDigest: boolean;
}

/** Most headers are this short. */
const headerBytesFirst = 16 * 1024;
const chunkBytes = 256 * 1024;
/** A boundary has at most 70 characters; some programs write more. */
const boundaryLengthMax = 200;
const lineBytesMax = boundaryLengthMax + 80;

class FactReader {
  readonly #source: ByteSource;
  readonly #bounds: FactBounds;
  readonly #texts: string[] = [];
  readonly #attachments: Attachment[] = [];
  /** `--` and boundary, outermost first. */
  readonly #boundaries: string[] = [];
  #textDoubt: string | null = null;
  #attachmentDoubt: string | null = null;
  #textBytes = 0;
  #parts = 0;
  #depth = 0;
  #isOver = false;
  #chunk: Chunk = { offset: 0, text: '', length: 0, isLast: false };

  constructor(source: ByteSource, bounds: FactBounds) {
    this.#source = source;
    this.#bounds = bounds;
  }

  facts(): ContentFacts {
    return {
      texts: this.#texts,
      textDoubt: this.#textDoubt,
      attachments: this.#attachments,
      attachmentDoubt: this.#attachmentDoubt,
    };
  }

  /** Returns the delimiter that ends it. `isNested`: it is attached, so its text is no body. */
  readMessage(start: number, isNested: boolean): Delimiter {
    return this.#readEntity(start, { isNested, isDigest: false });
  }

  #readEntity(start: number, about: Surroundings): Delimiter {
    if (++this.#parts > this.#bounds.partsMax) return this.#giveUp('it has too many parts');
    if (this.#depth > this.#bounds.depthMax) {
      return this.#giveUp('its parts are nested too deeply');
    }
    this.#depth++;
    const end = this.#readPart(start, about);
    this.#depth--;
    return end;
  }

  #readPart(start: number, about: Surroundings): Delimiter {
    if (this.#bounds.isLate()) return this.#giveUp(tooLate);
    const header = this.#readHeader(start);
    if (header === null) return this.#giveUp('the header of a part is too large');
    const fields = readPartFields(header.text);
    if (fields.doubt !== null) this.#doubt(fields.doubt);
    const type = fields.type ?? (about.isDigest ? 'message/rfc822' : 'text/plain');
    if (type.startsWith('multipart/')) {
      if (fields.boundary !== null && fields.boundary !== '') {
        if (!isIdentity(fields.encoding)) this.#doubt('parts of it are encoded as a whole');
        const isDigest = type === 'multipart/digest';
        return this.#readMultipart(header.end, fields.boundary, { ...about, isDigest });
      }
      this.#doubt('it has parts without saying what divides them');
    }
    if (type === 'message/rfc822' || type === 'message/global') {
      return this.#readAttached(header.end, fields, type);
    }
    return this.#readLeaf(header.end, fields, { type, isNested: about.isNested });
  }

  /** A message in the message. Where it is encoded its parts cannot be seen. */
  #readAttached(start: number, fields: PartFields, type: string): Delimiter {
    this.#attachments.push({ names: fields.names, type });
    if (isIdentity(fields.encoding)) return this.readMessage(start, true);
    this.#attachmentDoubt ??= 'a message in it is encoded';
    return this.#findDelimiter(start);
  }

  #readMultipart(start: number, boundary: string, about: Surroundings): Delimiter {
    if (boundary.length > boundaryLengthMax) return this.#giveUp('a boundary of it is too long');
    const level = this.#boundaries.length;
    this.#boundaries.push(`--${boundary.trimEnd()}`);
    let found = this.#findDelimiter(start);
    let isOver = false;
    while (found.level === level) {
      // Some readers take what follows the last delimiter for more parts.
      if (isOver && !found.isLast) this.#doubt('its parts go on behind their end');
      isOver ||= found.isLast;
      found = found.isLast ? this.#findDelimiter(found.next) : this.#readEntity(found.next, about);
    }
    this.#boundaries.length = level;
    return found;
  }

  #readLeaf(
    start: number,
    fields: PartFields,
    { type, isNested }: { readonly type: string; readonly isNested: boolean },
  ): Delimiter {
    const end = this.#findDelimiter(start);
    const isText = type === 'text/plain' || type === 'text/html';
    if (!isText || fields.isAttachment || fields.names.length > 0) {
      this.#attachments.push({ names: fields.names, type });
    }
    if (isText && !fields.isAttachment && !isNested) this.#readText(start, end.start, fields, type);
    return end;
  }

  #readText(start: number, end: number, fields: PartFields, type: string): void {
    const room = this.#bounds.textBytesMax - this.#textBytes;
    // The widest encoding takes three bytes for one.
    const raw = this.#source.read(start, Math.min(end - start, 3 * room + 1024));
    const decoded = decodeTransfer(raw, fields.encoding);
    if (decoded === null) this.#textDoubt ??= 'a text of it is in an unknown encoding';
    const bytes = decoded ?? raw;
    if (bytes.length > room || raw.length < end - start) {
      this.#textDoubt ??= 'it has too much text';
    }
    const kept = bytes.subarray(0, room);
    this.#textBytes += kept.length;
    const { text, isSure } = decodeText(kept, fields.charset);
    if (!isSure) this.#textDoubt ??= 'a text of it is in an unknown charset';
    this.#texts.push(type === 'text/html' ? htmlToText(text) : text);
  }

  /** Up to the empty line, or to the delimiter that stands before it; null where it is too large. */
  #readHeader(start: number): { readonly text: string; readonly end: number } | null {
    for (const length of [headerBytesFirst, this.#bounds.headerBytesMax]) {
      const bytes = this.#source.read(start, length);
      const text = bytes.toString('latin1');
      const empty = findEmptyLine(text);
      const delimiter = this.#findIn(text, empty?.at ?? text.length);
      if (delimiter !== null) return { text: text.slice(0, delimiter), end: start + delimiter };
      if (empty !== null) {
        return { text: text.slice(0, empty.at), end: start + empty.at + empty.length };
      }
      if (start + bytes.length >= this.#source.size) return { text, end: start + bytes.length };
    }
    return null;
  }

  /** Where a delimiter begins in a header before `end`; null where none does. */
  #findIn(text: string, end: number): number | null {
    for (
      let at = text.startsWith('--') ? 0 : next(text, 0);
      at !== -1 && at < end;
      at = next(text, at)
    ) {
      if (this.#levelOf(lineAt(text, at)) !== null) return at;
    }
    return null;
  }

  /** The next line that is a delimiter of any multipart around here; `from` begins a line. */
  #findDelimiter(from: number): Delimiter {
    if (this.#boundaries.length === 0 || this.#isOver) return this.#end();
    let chunk = this.#chunkAt(from);
    let at = from - chunk.offset;
    if (!chunk.text.startsWith('--', at)) at = next(chunk.text, at);
    for (;;) {
      for (; at !== -1 && at < chunk.length; at = next(chunk.text, at)) {
        const found = this.#levelOf(lineAt(chunk.text, at));
        if (found === null) continue;
        const lineEnd = chunk.text.indexOf('\n', at);
        const after = lineEnd === -1 ? chunk.text.length : lineEnd + 1;
        return { start: chunk.offset + at, next: chunk.offset + after, ...found };
      }
      if (chunk.isLast) return this.#end();
      if (this.#bounds.isLate()) return this.#giveUp(tooLate);
      // One byte less: a line break at the seam is found with what follows it.
      chunk = this.#chunkAt(chunk.offset + chunk.length - 1);
      at = next(chunk.text, 0);
    }
  }

  /** The last one again where it holds the place: many delimiters may stand in it. */
  #chunkAt(offset: number): Chunk {
    const known = this.#chunk;
    if (offset >= known.offset && offset < known.offset + known.length - 1) return known;
    const text = this.#source.read(offset, chunkBytes + lineBytesMax).toString('latin1');
    const isLast = offset + text.length >= this.#source.size || text.length === 0;
    const length = isLast ? text.length : chunkBytes;
    this.#chunk = { offset, text, length, isLast };
    return this.#chunk;
  }

  #end(): Delimiter {
    const { size } = this.#source;
    return { start: size, next: size, level: -1, isLast: true };
  }

  /** Of which multipart the line is a delimiter, innermost first. */
  #levelOf(line: string): { readonly level: number; readonly isLast: boolean } | null {
    for (let level = this.#boundaries.length - 1; level >= 0; level--) {
      const boundary = this.#boundaries[level]!;
      if (!line.startsWith(boundary)) continue;
      const rest = line.slice(boundary.length);
      if (rest === '') return { level, isLast: false };
      if (rest === '--') return { level, isLast: true };
    }
    return null;
  }

  #doubt(reason: string): void {
    this.#textDoubt ??= reason;
    this.#attachmentDoubt ??= reason;
  }

  /** Reads nothing further. */
  #giveUp(reason: string): Delimiter {
    this.#doubt(reason);
    this.#isOver = true;
    return this.#end();
  }
}

/** The doubt where time was up. */
export const tooLate = 'it took too long to read';

/** Where the next line begins that starts with two hyphens; -1 where none does. */
function next(text: string, from: number): number {
  const at = text.indexOf('\n--', from);
  return at === -1 ? -1 : at + 1;
}

/** The line without its end and the blanks before it. */
function lineAt(text: string, at: number): string {
  const end = text.indexOf('\n', at);
  const stop = Math.min(end === -1 ? text.length : end, at + lineBytesMax);
  return text.slice(at, stop).trimEnd();
}

function findEmptyLine(text: string): { readonly at: number; readonly length: number } | null {
  if (text.startsWith('\r\n')) return { at: 0, length: 2 };
  if (text.startsWith('\n')) return { at: 0, length: 1 };
  const [strict, bare] = [text.indexOf('\r\n\r\n'), text.indexOf('\n\n')];
  if (strict === -1 && bare === -1) return null;
  if (strict !== -1 && (bare === -1 || strict < bare)) return { at: strict + 2, length: 2 };
  return { at: bare + 1, length: 1 };
}

function isIdentity(encoding: string): boolean {
  return ['', '7bit', '8bit', 'binary'].includes(encoding);
}

/** Null for an encoding that nobody knows. */
function decodeTransfer(bytes: Buffer, encoding: string): Buffer | null {
  if (isIdentity(encoding)) return bytes;
  if (encoding === 'base64') return decodeBase64(bytes.toString('latin1'));
  return encoding === 'quoted-printable' ? decodeQuoted(bytes) : null;
}

/** Padding ends a piece, not the text: some readers go on behind it. */
function decodeBase64(text: string): Buffer {
  return Buffer.concat(text.split('=').map((piece) => Buffer.from(piece, 'base64')));
}
