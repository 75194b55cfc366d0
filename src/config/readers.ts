/** Readers of general values: text, switches, choices, numbers, durations, sizes. */
import { sanitizePeerText } from '../mail/peer-text.ts';
import { formatDuration, parseDuration } from './duration.ts';
import type { Bytes, Milliseconds, Read, Reader } from './field.ts';
import { withUnit } from './field.ts';
import { findNearest } from './nearest.ts';
import { formatSize, parseSize, sizeUnits } from './size.ts';

/** The value as an administrator would recognize it in a message, at most 60 characters. */
export function show(raw: unknown): string {
  const text = typeof raw === 'string' ? JSON.stringify(raw) : (JSON.stringify(raw) ?? 'nothing');
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** Free text on one line, 1 to `lengthMax` characters. */
export function text(lengthMax = 256, form = 'text'): Reader<string> {
  return {
    form,
    read(raw) {
      if (typeof raw !== 'string') {
        const quoted = typeof raw === 'number' || typeof raw === 'boolean' ? raw : null;
        const hint = quoted === null ? '' : `; in quotes it would be: "${quoted}"`;
        return { wrong: `must be ${form}, not ${show(raw)}${hint}` };
      }
      if (raw.trim() === '') return { wrong: `is empty; write ${form}` };
      if (raw.length > lengthMax) return { wrong: `is longer than ${lengthMax} characters` };
      if (sanitizePeerText(raw.slice(0, 512)) !== raw.slice(0, 512)) {
        return { wrong: 'must not hold line breaks, control or invisible characters' };
      }
      return { value: raw };
    },
  };
}

/** Text that may have several lines and may be empty: comments. */
export function comment(): Reader<string> {
  return {
    form: 'text',
    read: (raw) =>
      typeof raw === 'string' && raw.length <= 4096
        ? { value: raw }
        : { wrong: 'must be text of at most 4096 characters' },
  };
}

/** Text that another parser of the project understands; `wanted` is the form in words. */
export function parsed<T>(wanted: string, parse: (text: string) => Read<T>): Reader<T> {
  const inner = text(1024, wanted);
  return {
    form: wanted,
    read(raw) {
      const read = inner.read(raw);
      return 'value' in read ? parse(read.value) : read;
    },
  };
}

/** `true` or `false`; YAML 1.2 knows no `yes` and `on`. */
export function flag(): Reader<boolean> {
  return {
    form: 'true or false',
    words: ['true', 'false'],
    read(raw) {
      if (typeof raw === 'boolean') return { value: raw };
      return { wrong: `must be true or false, not ${show(raw)}`, suggestion: guessFlag(raw) };
    },
  };
}

/** Only of what stands alone: a mapping has no words. */
function guessFlag(raw: unknown): string | null {
  if (typeof raw !== 'string' && typeof raw !== 'number') return null;
  const word = String(raw).toLowerCase();
  if (['yes', 'on', 'y', '1', 'true', '$true', 'enabled'].includes(word)) return 'true';
  if (['no', 'off', 'n', '0', 'false', '$false', 'disabled'].includes(word)) return 'false';
  return findNearest(word, ['true', 'false']);
}

/** One of a few words, case exact. `refusals` are known words that are refused, with the reason. */
export function choice<const T extends string>(
  words: readonly T[],
  refusals: Readonly<Record<string, string>> = {},
): Reader<T> {
  const form = listWords(words);
  return {
    form,
    words,
    read(raw) {
      const word = words.find((candidate) => candidate === raw);
      if (word !== undefined) return { value: word };
      // Own keys: `valueOf` is a word that somebody may write, too.
      const isRefused = typeof raw === 'string' && Object.hasOwn(refusals, raw);
      const refusal = isRefused ? refusals[raw] : undefined;
      if (refusal !== undefined) return { wrong: refusal };
      const suggestion = typeof raw === 'string' ? findNearest(raw, words) : null;
      return { wrong: `must be ${form}, not ${show(raw)}`, suggestion };
    },
  };
}

function listWords(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number, unitWord = ''): Reader<number> {
  const form = `whole number from ${min} to ${max}${unitWord}`;
  return {
    form,
    read(raw) {
      const isGood = Number.isSafeInteger(raw) && (raw as number) >= min && (raw as number) <= max;
      return isGood ? { value: raw as number } : { wrong: `must be a ${form}, not ${show(raw)}` };
    },
  };
}

/** A duration; `min` and `max` as written. */
export function duration(min: string, max: string): Reader<Milliseconds> {
  const [minMs, maxMs] = [parseDuration(min)!, parseDuration(max)!];
  const form = `duration from ${min} to ${max}`;
  return withUnit(
    {
      form,
      read(raw) {
        const ms = raw === 0 ? 0 : typeof raw === 'string' ? parseDuration(raw) : null;
        if (ms === null) return { wrong: explainDuration(raw, minMs, maxMs) };
        if (ms >= minMs && ms <= maxMs) return { value: ms as Milliseconds };
        return { wrong: `must be from ${min} to ${max}, not ${show(raw)}` };
      },
    },
    'Ms',
  );
}

function explainDuration(raw: unknown, minMs: number, maxMs: number): string {
  const units = 'd, h, m, s or ms';
  if (typeof raw === 'number' && Number.isSafeInteger(raw) && raw > 0) {
    const likely = [60_000, 1000, 3_600_000, 1].map((unitMs) => raw * unitMs);
    const fitting = likely.filter((ms) => ms >= minMs && ms <= maxMs).slice(0, 2);
    const hint =
      fitting.length === 0 ? '' : `, such as ${fitting.map(formatDuration).join(' or ')}`;
    return `needs a unit (${units})${hint}, not ${raw}`;
  }
  return `must be a duration such as 30s, 15m or 1h30m (whole numbers with ${units}, largest first), not ${show(raw)}`;
}

/** A number of bytes; `min` and `max` as written. */
export function size(min: string, max: string): Reader<Bytes> {
  const [minBytes, maxBytes] = [parseSize(min)!, parseSize(max)!];
  const form = `size from ${min} to ${max}`;
  return withUnit(
    {
      form,
      read(raw) {
        const bytes = raw === 0 ? 0 : typeof raw === 'string' ? parseSize(raw) : null;
        if (bytes === null) return explainSize(raw, minBytes, maxBytes);
        if (bytes >= minBytes && bytes <= maxBytes) return { value: bytes as Bytes };
        return { wrong: `must be from ${min} to ${max}, not ${show(raw)}` };
      },
    },
    'Bytes',
  );
}

function explainSize(
  raw: unknown,
  minBytes: number,
  maxBytes: number,
): { wrong: string; suggestion?: string | null } {
  if (typeof raw === 'number' && Number.isSafeInteger(raw) && raw > 0) {
    const likely = [1e6, 2 ** 10, 1, 2 ** 30].map((unitBytes) => raw * unitBytes);
    const fitting = likely.filter((bytes) => bytes >= minBytes && bytes <= maxBytes).slice(0, 2);
    const hint = fitting.length === 0 ? '' : `, such as ${fitting.map(formatSize).join(' or ')}`;
    return { wrong: `needs a unit (KB, MB, KiB, MiB …)${hint}, not ${raw}` };
  }
  const match = typeof raw === 'string' ? /^(\d+) ?([A-Za-z]+)$/.exec(raw) : null;
  const unit = match === null ? null : findNearest(match[2]!, sizeUnits);
  const suggestion = unit === null ? null : `${match![1]}${unit}`;
  const wrong = `must be a size such as 50MB or 256KiB, not ${show(raw)}`;
  return { wrong, suggestion };
}
