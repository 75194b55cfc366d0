/** Readers of what mail-flow rules are made of: words, patterns, header names, types, moments. */
import { sanitizePeerText } from '../mail/peer-text.ts';
import { compilePattern } from '../policy/rules/pattern.ts';
import { rejectTextLengthMax } from '../policy/rules/rule-reply.ts';
import { compileWords } from '../policy/rules/words.ts';
import type { Reader } from './field.ts';
import { parsed, show } from './readers.ts';

/** A word or phrase, as it is looked for. */
export function ruleWord(): Reader<string> {
  return parsed('a word or phrase', (raw) => {
    if (raw !== raw.trim()) {
      return { wrong: `has a blank at an end: ${show(raw)}`, suggestion: raw.trim() };
    }
    if (raw.length > 128) return { wrong: 'is longer than 128 characters' };
    if (compileWords([raw]).length > 0) return { value: raw };
    return { wrong: `has nothing to look for: ${show(raw)}` };
  });
}

export function rulePattern(): Reader<string> {
  return parsed('a pattern such as ^ab?c\\d+$', (raw) => {
    const result = compilePattern(raw);
    return result.kind === 'compiled' ? { value: raw } : { wrong: `${show(raw)} ${result.reason}` };
  });
}

/** The name of a header field, as written. */
export function headerName(): Reader<string> {
  return parsed('the name of a header field such as X-Class', (raw) => {
    const bare = raw.endsWith(':') ? raw.slice(0, -1) : raw;
    const isName = /^[!-9;-~]{1,64}$/.test(bare);
    if (isName && bare === raw) return { value: raw };
    return {
      wrong: `must be the name of a header field, not ${show(raw)}`,
      suggestion: isName ? bare : null,
    };
  });
}

/** Lower-case, without the dot. */
export function fileExtension(): Reader<string> {
  return parsed('an extension such as exe', (raw) => {
    const bare = raw.replace(/^\*?\./, '');
    if (bare === raw && /^[^\s./\\*?]{1,32}$/.test(raw)) return { value: raw.toLowerCase() };
    const suggestion = bare !== raw && /^[^\s./\\*?]{1,32}$/.test(bare) ? bare : null;
    return { wrong: `must be an extension without a dot, not ${show(raw)}`, suggestion };
  });
}

/** Lower-case; `image/*` for all of a kind. */
export function contentType(): Reader<string> {
  return parsed('a type such as application/pdf or image/*', (raw) =>
    /^[A-Za-z0-9!#$&^_.+-]{1,60}\/(?:\*|[A-Za-z0-9!#$&^_.+-]{1,60})$/.test(raw)
      ? { value: raw.toLowerCase() }
      : { wrong: `must be a type such as application/pdf or image/*, not ${show(raw)}` },
  );
}

/** Milliseconds since 1970: a day in UTC, or a time with its zone. */
export function moment(): Reader<number> {
  return parsed('a day such as 2027-03-31 or a time such as 2027-03-31T08:00:00Z', (raw) => {
    const shape =
      /^\d{4}-(\d{2})-(\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;
    const match = shape.exec(raw);
    const at = match === null ? Number.NaN : Date.parse(raw);
    // A day that the month does not have would become one of the next.
    const day = raw.slice(0, 10);
    const isDay = match !== null && !Number.isNaN(Date.parse(day)) && isoDay(day) === day;
    if (!Number.isNaN(at) && isDay) return { value: at };
    return {
      wrong: `must be a day (2027-03-31, in UTC) or a time with its zone (2027-03-31T08:00:00Z), not ${show(raw)}`,
    };
  });
}

function isoDay(day: string): string {
  return new Date(Date.parse(day)).toISOString().slice(0, 10);
}

/** What the sender is told. */
export function reasonText(): Reader<string> {
  return {
    form: `text of at most ${rejectTextLengthMax} characters`,
    read(raw) {
      if (typeof raw !== 'string' || raw.trim() === '') {
        return { wrong: `must be text that says why, not ${show(raw)}` };
      }
      if (raw.length > rejectTextLengthMax) {
        return { wrong: `is longer than ${rejectTextLengthMax} characters` };
      }
      const pieces = raw.match(/[^]{1,256}/gu) ?? [];
      if (pieces.every((piece) => sanitizePeerText(piece) === piece)) return { value: raw };
      return { wrong: 'must not hold line breaks, control or invisible characters' };
    },
  };
}

/** Exchange's: 5.7.1, or 5.7.900 to 5.7.999. */
export function rejectStatus(): Reader<string> {
  return parsed('5.7.1, or 5.7.900 to 5.7.999', (raw) =>
    /^5\.7\.(?:1|9\d\d)$/.test(raw)
      ? { value: raw }
      : { wrong: `must be 5.7.1, or from 5.7.900 to 5.7.999, not ${show(raw)}` },
  );
}
