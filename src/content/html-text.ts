/**
 * The text that HTML shows, as far as words in it are looked for: no tags, no scripts, no comments.
 *
 * Not a browser: what is hidden by style is seen too. One pass, never throws.
 */

/** Tags behind which a new word begins; all others may stand within one. */
const breaking = new Set(
  'address article aside blockquote body br caption center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 head header hr html li main nav ol option p pre section select table tbody td tfoot th thead title tr ul'.split(
    ' ',
  ),
);
const silent = new Set(['script', 'style']);

export function htmlToText(html: string): string {
  const parts: string[] = [];
  let from = 0;
  while (from < html.length) {
    const open = html.indexOf('<', from);
    if (open === -1) break;
    parts.push(decodeEntities(html.slice(from, open)));
    from = skipMarkup(html, open, parts);
  }
  parts.push(decodeEntities(html.slice(from)));
  return parts.join('');
}

/** The index behind the markup that begins at `open`; what is none is text. */
function skipMarkup(html: string, open: number, parts: string[]): number {
  if (html.startsWith('<!--', open)) return behind(html, '-->', open + 4);
  if (html[open + 1] === '!' || html[open + 1] === '?') return behind(html, '>', open + 1);
  const name = tagNameAt(html, open + (html[open + 1] === '/' ? 2 : 1));
  if (name === '') {
    parts.push('<');
    return open + 1;
  }
  if (breaking.has(name)) parts.push('\n');
  const end = tagEnd(html, open + 1);
  if (!silent.has(name) || html[open + 1] === '/') return end;
  return silentEnd(html, name, end);
}

function behind(html: string, mark: string, from: number): number {
  const at = html.indexOf(mark, from);
  return at === -1 ? html.length : at + mark.length;
}

function tagNameAt(html: string, start: number): string {
  let end = start;
  while (end - start < 20 && isNameCode(html.charCodeAt(end), end > start)) end++;
  return html.slice(start, end).toLowerCase();
}

function isNameCode(code: number, isLater: boolean): boolean {
  const lower = code | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || (isLater && code >= 0x30 && code <= 0x39);
}

/** Behind the `>` that stands in no quoted attribute. */
function tagEnd(html: string, from: number): number {
  let isValue = false;
  for (let at = from; at < html.length; at++) {
    const code = html.charCodeAt(at);
    if (code === 0x3e) return at + 1;
    if (isValue && (code === 0x22 || code === 0x27)) {
      const close = html.indexOf(html[at]!, at + 1);
      if (close === -1) return html.length;
      at = close;
      isValue = false;
    } else if (code === 0x3d) isValue = true;
    else if (code > 0x20) isValue = false;
  }
  return html.length;
}

/** Behind the end tag; case is ignored. */
function silentEnd(html: string, name: string, from: number): number {
  for (let at = html.indexOf('</', from); at !== -1; at = html.indexOf('</', at + 2)) {
    if (tagNameAt(html, at + 2) === name) return tagEnd(html, at + 1);
  }
  return html.length;
}

/** U+00A0 to U+00FF, in their order. */
const latin1Names =
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml'.split(
    ' ',
  );
const entities: ReadonlyMap<string, string> = new Map([
  ...latin1Names.map((name, i) => [name, String.fromCharCode(0xa0 + i)] as const),
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['euro', '€'],
  ['ndash', '–'],
  ['mdash', '—'],
  ['lsquo', '‘'],
  ['rsquo', '’'],
  ['ldquo', '“'],
  ['rdquo', '”'],
  ['bull', '•'],
  ['hellip', '…'],
  ['trade', '™'],
  ['zwnj', '\u200c'],
  ['zwj', '\u200d'],
  ['commat', '@'],
  ['period', '.'],
  ['lowbar', '_'],
  ['hyphen', '‐'],
  ['Tab', '\t'],
  ['NewLine', '\n'],
]);

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,8}));?/g,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return entities.get(name) ?? whole;
      const code = decimal === undefined ? parseInt(hex!, 16) : Number(decimal);
      const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
      return isCharacter ? String.fromCodePoint(code) : '\ufffd';
    },
  );
}
