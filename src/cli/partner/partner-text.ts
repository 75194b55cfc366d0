/** What the wizard for a partner shows at its end: the connectors, the commands, and what to do next. */
import { formatConfig } from '../../config/format-config.ts';
import { kindOf } from '../../config/policy-object.ts';
import { printable } from '../printable.ts';
import { quoteShell } from '../quote-shell.ts';
import type { Situation } from './answers.ts';
import { isInbound, isOutbound, wordOf } from './answers.ts';
import type { CommandLines, Shown } from './command-lines.ts';
import { gatewayWords } from './command-lines.ts';
import type { Draft } from './drafts.ts';

/** The same text as `export` has. */
export function formatDrafts(situation: Situation, drafts: readonly Draft[]): string {
  const lists = drafts.map(({ place, value }) => [kindOf(place.kind).list, [value]] as const);
  const organization = { id: wordOf(situation, 'organization'), ...Object.fromEntries(lists) };
  return formatConfig({ organizations: [organization] }, false);
}

export function formatCommands({ partner, kebab, cmdlets }: CommandLines): string {
  const lines = [
    'The same without a question, all in one step:',
    `  ${partner}`,
    'or each by itself, in either spelling:',
    ...kebab.map((line) => `  ${line}`),
    ...cmdlets.map((line) => `  ${line}`),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

/** `rehearsalAddress` null where the organization has none; undefined where it is not known. */
export interface Made {
  readonly revision: number;
  readonly rehearsalAddress: string | null | undefined;
}

export function formatNext(
  situation: Situation,
  { revision, rehearsalAddress }: Made,
  shown: Shown,
): string {
  const { domain } = situation;
  const { program } = shown;
  const where = gatewayWords(shown);
  const name = quoteShell(wordOf(situation, 'name'));
  const organization = quoteShell(wordOf(situation, 'organization'));
  const lines = [
    ...(isInbound(situation) ? [rehearsalLine(rehearsalAddress)] : []),
    ...(isOutbound(situation)
      ? [
          `Try the way to the partner with an address there: ${program} connector validate ${name} --organization ${organization} --to postmaster@${domain}${where}`,
        ]
      : []),
    `Look what becomes of its mail: ${program} trace --to ${domain}${where}, ${program} trace --from ${domain}${where}`,
    ...(wordOf(situation, 'mode') === 'enforce'
      ? []
      : [`Nothing binds yet: ${program} connector readiness ${name}${where} says when it can.`]),
    `The way back, while nothing else was changed: ${program} revision rollback ${revision - 1} --reason TEXT${where}`,
  ];
  return `\nWhat next:\n${lines.map((line) => `${printable(`- ${line}`)}\n`).join('')}`;
}

function rehearsalLine(address: string | null | undefined): string {
  if (typeof address === 'string') {
    return `Let the partner send any mail to ${address}, from the servers that send its mail: it is answered with what was seen of their TLS, certificate and names, and what you demand.`;
  }
  const missing = 'a rehearsal address tells the partner by mail whether its servers meet this';
  return address === null
    ? `Give the organization a rehearsalAddress (docs/rehearsal.md): ${missing}.`
    : `If the organization has a rehearsalAddress, let the partner send to it: ${missing}.`;
}
