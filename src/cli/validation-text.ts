/** Validations for people: each step in a line as it is done, then what is in the way and what to do. */
import { sanitizePeerText } from '../mail/peer-text.ts';
import type {
  Finding,
  Transcript,
  ValidationRun,
  ValidationStep,
} from '../policy/validation/run.ts';
import { wrapToWidth } from './text-width.ts';

const stateWords = { succeeded: 'ok', failed: 'FAILED', skipped: '-' } as const;
const stepWords: Readonly<Record<string, string>> = {
  cover: 'covered',
  ehlo: 'EHLO',
  starttls: 'STARTTLS',
  'tls-ehlo': 'EHLO in TLS',
  mail: 'MAIL',
  rcpt: 'RCPT',
};

/** One line. */
export function formatStep(step: ValidationStep): string {
  const { host, address, recipient, text, tookMs } = step;
  const state = stateWords[step.state].padEnd(6);
  const name = (stepWords[step.step] ?? step.step).padEnd(11);
  const place = placeOf(host, address);
  const where = [place, recipient].filter((part) => part !== null && part !== '').join(' ');
  return lineOf(`${state}  ${name}  ${formatMs(tookMs).padStart(8)}  ${where}: ${text}`);
}

/** What came of it, below the steps. */
export function formatOutcome(run: ValidationRun, width: number | null): string {
  const draft = run.isDraft ? ' (a draft: nothing was put in force)' : '';
  const head = lineOf(`${run.connector}${draft}: ${run.result.toUpperCase()}: ${run.summary}`);
  const findings = run.findings.map((finding, place) => formatFinding(finding, place + 1, width));
  return [head, ...findings].join('\n');
}

function formatFinding(finding: Finding, number: number, width: number | null): string {
  const { host, address, recipient, status, what, mend, exchangeText } = finding;
  const place = placeOf(host, address);
  const about = [place, recipient].filter((part) => part !== null && part !== '');
  const where = about.length > 0 && !what.includes(host ?? '\n') ? `${about.join(' ')}: ` : '';
  const code = status === null ? '' : ` (${status})`;
  return [
    ...wrapped(`${number}. `, `${where}${what}${code}`, width),
    ...(exchangeText === null ? [] : wrapped('   Exchange: ', `"${exchangeText}"`, width)),
    ...wrapped('   To do: ', mend, width),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

/** The dialogue with each address. */
export function formatTranscripts(transcripts: readonly Transcript[]): string {
  return transcripts
    .map(({ host, address, port, purpose, lines }) => {
      const what = purpose === 'check' ? 'check' : 'test message';
      const head = lineOf(`${host} [${address}]:${port}, ${what}`);
      return head + lines.map((line) => lineOf(`  ${line}`)).join('');
    })
    .join('\n');
}

function placeOf(host: string | null, address: string | null): string {
  if (host === null) return address ?? '';
  return address === null || address === host ? host : `${host} [${address}]`;
}

function formatMs(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

function lineOf(text: string): string {
  return `${sanitizePeerText(text)}\n`;
}

/** The text behind its begin; further lines stand below the text. */
function wrapped(begin: string, text: string, width: number | null): readonly string[] {
  const clean = sanitizePeerText(text);
  if (width === null) return [begin + clean];
  const lines = wrapToWidth(clean, Math.max(20, width - begin.length));
  return lines.map((line, place) => (place === 0 ? begin : ' '.repeat(begin.length)) + line);
}
