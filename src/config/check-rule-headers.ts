/**
 * Which header fields rules may write and remove.
 *
 * Not those by which servers tell each other who wrote, checked and carried a message, and not those
 * without which it cannot be read.
 */
import type { Located, Report } from './parts.ts';
import type { ParsedRule } from './schema-rules.ts';

/** What only we, or servers that we trust, may write: the header firewall takes it from strangers. */
const ownPrefixes = [
  'x-ms-exchange-organization-',
  'x-ms-exchange-forest-',
  'x-ms-exchange-crosspremises-',
  'x-postern-',
  'arc-',
];
const own = new Set([
  'received',
  'return-path',
  'authentication-results',
  'x-originatororg',
  'dkim-signature',
  'received-spf',
]);
/** What says from whom, to whom and when a message is, and how its content is to be read. */
const structural = new Set([
  'from',
  'sender',
  'to',
  'cc',
  'bcc',
  'resent-bcc',
  'date',
  'message-id',
  'mime-version',
]);
/** Without these nobody sees a loop. */
const traces = new Set(['received', 'return-path', 'x-postern-rules-loop']);

export function checkRuleHeaders({ value, path }: Located<ParsedRule>, report: Report): void {
  const refuse = (key: string, text: string): void =>
    report({ path: [...path, key], at: 'value', text });
  const { setHeaderName, removeHeader } = value;
  if (setHeaderName !== null) {
    const name = setHeaderName.toLowerCase();
    if (own.has(name) || ownPrefixes.some((prefix) => name.startsWith(prefix))) {
      refuse('setHeaderName', `${setHeaderName} says what servers did, and only they write it`);
    } else if (isStructural(name)) refuse('setHeaderName', changes(setHeaderName));
    else if (name === 'subject') {
      refuse('setHeaderName', 'would replace the subject: prependSubject puts text before it');
    }
  }
  if (removeHeader === null) return;
  const name = removeHeader.toLowerCase();
  if (traces.has(name)) refuse('removeHeader', `without ${removeHeader} nobody sees a loop`);
  else if (isStructural(name) || name === 'subject') refuse('removeHeader', changes(removeHeader));
  else if (setHeaderName?.toLowerCase() === name) {
    refuse('removeHeader', 'is the field of setHeaderName, which replaces all of that name');
  }
}

function isStructural(name: string): boolean {
  return structural.has(name) || name.startsWith('content-');
}

function changes(name: string): string {
  return `${name} is part of what the author wrote: rules leave it`;
}
