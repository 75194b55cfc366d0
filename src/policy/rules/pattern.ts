/**
 * Exchange's text patterns on a matcher whose time grows with the text and never runs away.
 *
 * Exchange documents `\S \s \D \d \w \W | * ( ) ^ $ \` and points to .NET's regular expressions for
 * the rest; case is ignored. Classes mean Unicode there, so they are written out here. What needs
 * back-tracking (look-around, back-references) is refused.
 * @see New-TransportRule, SubjectMatchesPatterns
 */
import { RE2JS, RE2JSException } from 're2js';

/** `steps`: what one character of text may cost at most. */
export interface CompiledPattern {
  readonly steps: number;
  matches(text: string): boolean;
}

/** Characters of one pattern, and what it may grow to when its repetitions are written out. */
export const patternLengthMax = 1024;
const stepsMax = 5000;

export type PatternResult =
  | { readonly kind: 'compiled'; readonly pattern: CompiledPattern }
  /** `reason` completes "the pattern …". */
  | { readonly kind: 'refused'; readonly reason: string };

/** Never throws. */
export function compilePattern(text: string): PatternResult {
  if (text.length > patternLengthMax) {
    return refused(`is longer than ${patternLengthMax} characters`);
  }
  const translated = translate(text);
  if (translated.kind === 'refused') return translated;
  try {
    const compiled = RE2JS.compile(translated.text, RE2JS.CASE_INSENSITIVE);
    const steps = compiled.programSize();
    if (steps > stepsMax) return refused('repeats too much: its counts multiply to too many steps');
    return { kind: 'compiled', pattern: { steps, matches: (subject) => compiled.test(subject) } };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return refused(`is no pattern: ${error.message.replace(/^error parsing regexp: /, '')}`);
  }
}

function refused(reason: string): { readonly kind: 'refused'; readonly reason: string } {
  return { kind: 'refused', reason };
}

/** .NET's classes; those of RE2 know ASCII only. */
const classes: Readonly<Record<string, string>> = {
  d: '\\p{Nd}',
  w: '\\p{L}\\p{Mn}\\p{Nd}\\p{Pc}',
  s: '\\t\\n\\v\\f\\r\\x{85}\\p{Z}',
};

type Translated =
  { readonly kind: 'text'; readonly text: string } | (PatternResult & { kind: 'refused' });

const anything = /^\[(?:\\s\\S|\\S\\s|\\w\\W|\\W\\w|\\d\\D|\\D\\d)\]/;
/** An escape, with braces or digits where it takes them; a group's opening; or one character. */
const token =
  /^(?:\\(?:[pP]\{\^?\w+\}|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[^])|\(\?(?:<?[=!]|>|\(|#)?|[^])/u;

function translate(pattern: string): Translated {
  let text = '';
  let isInClass = false;
  for (let at = 0; at < pattern.length;) {
    const rest = pattern.slice(at);
    const whole = isInClass ? null : anything.exec(rest);
    if (whole !== null) {
      text += '(?s:.)';
      at += whole[0].length;
      continue;
    }
    const [found] = token.exec(rest)!;
    const piece = translateToken(found, isInClass, pattern);
    if (typeof piece !== 'string') return piece;
    text += piece;
    at += found.length;
    if (found === ']' && isInClass) isInClass = false;
    else if (found === '[' && !isInClass) {
      isInClass = true;
      // A bracket that stands first is meant.
      const first = /^\^?\]/.exec(pattern.slice(at));
      if (first !== null) {
        text += first[0].replace(']', '\\]');
        at += first[0].length;
      }
    } else if (found === '[' && isInClass) {
      if (text.endsWith('-[')) return refused('takes one set of characters from another ([…-[…]])');
      text = `${text.slice(0, -1)}\\[`;
    }
  }
  return { kind: 'text', text };
}

function translateToken(
  found: string,
  isInClass: boolean,
  pattern: string,
): string | (PatternResult & { kind: 'refused' }) {
  if (found.startsWith('(?') && found.length > 2 && !isInClass) {
    return refused(
      `has ${found}…: look-around and conditions need back-tracking, which a message could make run away`,
    );
  }
  if (!found.startsWith('\\')) return found;
  const letter = found[1] ?? '';
  const lower = letter.toLowerCase();
  const set = classes[lower];
  if (set !== undefined) {
    if (lower === letter) return isInClass ? set : `[${set}]`;
    if (!isInClass) return `[^${set}]`;
    if (letter === 'D') return '\\P{Nd}';
    return refused(`has ${found} between brackets: write what is wanted, or [^…]`);
  }
  if (/[1-9k]/.test(letter)) {
    return refused(`refers back to a group (${found}), which a message could make run away`);
  }
  if (lower === 'b' && !isInClass && /[^\x00-\x7f]|\\[ux]/.test(pattern)) {
    return refused(
      `has ${found} beside characters that are not ASCII, where it would not find the end of a word`,
    );
  }
  if (/[QEC]/.test(letter)) return refused(`has ${found}, which no pattern of Exchange knows`);
  if (letter === 'u') return `\\x{${found.slice(2)}}`;
  return found;
}
