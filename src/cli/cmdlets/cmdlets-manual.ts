/** `docs/cmdlets.md`, written from the tables of the cmdlets, so that it cannot differ from them. */
import { fieldsOf } from '../policy-objects/object-field.ts';
import type { PolicyKind } from '../policy-objects/policy-kind.ts';
import { policyKinds } from '../policy-objects/policy-kind.ts';
import { cmdlets } from './cmdlets.ts';
import { lookParameters, makeParameters } from './common-parameters.ts';
import { exchangeNameOf } from './exchange-names.ts';
import type { Parameter } from './parameter.ts';
import { refusedCommon, refusedParameters } from './refused-parameters.ts';

const introduction = `# Cmdlets

<!-- Written by \`POSTERN_WRITE_DOCS=1 node --test src/cli/cmdlets/cmdlets-manual.test.ts\`. Do not edit. -->

\`postern New-OutboundConnector -Name Contoso -RecipientDomains contoso.com -TlsSettings EncryptionOnly\` does what
\`postern connector create outbound --name Contoso --recipient-domains contoso.com --tls-settings EncryptionOnly\` does
([cli.md](cli.md)): the names, values and defaults are Exchange Online's, and both spellings make the same object.

## How a line is written

- Names in any case, and as short as Exchange knows no other parameter that begins so. The object may be given without \`-Identity\`, a new one without \`-Name\`.
- Lists: \`a,b\`, \`"a","b"\`, \`@("a","b")\`. With Set also \`'@{Add="a","b";Remove="c"}'\`. \`'$null'\` takes a value away, so that its default acts.
- In words and phrases a comma before a blank is part of the phrase, in patterns one inside of brackets; quotes inside of quotes keep any entry whole: \`'"a,b","c"'\`.
- Switches stand alone or with a value: \`-WhatIf\`, \`-Confirm:false\`. What is true or false needs a value: \`-Enabled false\`.
- **\`$true\`, \`$false\` and \`$null\` in a shell that is not PowerShell**: sh, bash and zsh put nothing in their place. Write \`true\` and \`false\`, or single quotes: \`'$false'\`. What
  is left without a value is refused, never guessed. In PowerShell put \`@{…}\` in single quotes.
- **Or the whole line in single quotes**, as it stands in a page of Microsoft: \`postern 'Set-OutboundConnector "Contoso" -Enabled $false'\`, also with \`| Format-List\`, \`| Format-Table Name,Enabled\`
  or \`| ConvertTo-Json\` at its end.
- Dates: \`09/01/2026\` (the month first), \`'09/01/2026 5:00 PM'\`, \`2026-09-01T17:00:00Z\`; UTC where no zone stands there.
- Sizes as Exchange means them: \`10MB\` is 10 × 1024 × 1024 bytes, which is \`10MiB\` in the configuration.
- A name on a certificate of a partner (\`-TlsSenderCertificateName\`) is demanded: \`-RestrictDomainsToCertificate\` is then set, and a warning says so.

## What is otherwise than in Exchange

- A parameter that has no meaning here is refused with the reason, nothing is ignored. One thing is only told: the \`-Name\` of \`New-AcceptedDomain\`, since a domain is named by itself.
- \`Get-OutboundConnector\` shows all connectors, also those that only rules choose and those that only observe. \`Get-*\` with a name that nothing bears says so instead of showing everything.
- \`Get-MessageTrace\` searches all that is kept, not two days.
- \`-MtaStsMode\` and \`-SmtpDaneMode\` are \`None\`, where Exchange's default is Opportunistic: neither is looked up yet, and Opportunistic is refused.
- \`Get-OutboundConnector\` shows \`Opportunistic\` where Exchange shows an empty \`TlsSettings\`.
- \`Set-*\` with \`-Name\` renames, and rules that lead to an outbound connector follow in the same change. To the gateway it is another connector: where the old one demanded something, a reason is wanted. The Guid is made from the name.
- A change that asks for less than what is in force needs \`-Reason\`; \`-WhatIf\` says whether it does, and what would change.
- \`Remove-*\` asks before; \`-Confirm:false\` does not ask. Exit codes are those of [cli.md](cli.md).
`;

/** The whole document. */
export function renderCmdletDocs(): string {
  const kinds = Object.values(policyKinds);
  return [introduction, renderList(), ...kinds.map(renderKind), renderCommon()].join('\n');
}

function renderList(): string {
  const rows = cmdlets.map(({ name, summary }) => [`\`${name}\``, summary]);
  return `## The cmdlets\n\n${table(['cmdlet', 'does'], rows)}`;
}

function renderKind(kind: PolicyKind): string {
  const fields = fieldsOf(kind).filter(({ key }) => !key.startsWith('exceptIf'));
  const named = fields.map((field) => ({ field, name: exchangeNameOf(kind.kind, field.key) }));
  const theirs = named.filter(({ name }) => !name.isOurs);
  const ours = named.filter(({ name }) => name.isOurs);
  const rows = [...theirs, ...ours].map(({ field, name }) => [
    `\`-${name.name}\`${name.isOurs ? ' (ours)' : ''}`,
    `\`${field.key}\``,
    escape(field.form),
    field.isRequired ? '**required**' : escape(field.fallback ?? 'none'),
  ]);
  const exceptions =
    kind.kind === 'rule'
      ? 'Each condition has an exception, `-ExceptIf` before its name. `-Priority` is the place among the rules, counted from 0. `-Enabled` acts on Set, too.\n\n'
      : '';
  return `## ${kind.noun}

${exceptions}${table(['parameter', 'key', 'value', 'default'], rows)}
Refused:

${renderRefused(kind)}`;
}

function renderRefused({ kind }: PolicyKind): string {
  const byReason = Map.groupBy(refusedParameters[kind], ({ reason }) => reason);
  const lines = Array.from(byReason, ([reason, names]) => {
    const own = names.filter(({ name }) => !name.startsWith('ExceptIf'));
    return `- ${own.map(({ name }) => `\`-${name}\``).join(', ')}: ${reason}.\n`;
  });
  return lines.join('');
}

function renderCommon(): string {
  const all = new Map([...makeParameters, ...lookParameters].map((each) => [each.name, each]));
  const rows = Array.from(all.values(), (parameter: Parameter) => [
    `\`-${parameter.name}\`${parameter.isOurs ? ' (ours)' : ''}`,
    escape(parameter.description),
  ]);
  const refused = Map.groupBy(refusedCommon, ({ reason }) => reason);
  const lines = Array.from(
    refused,
    ([reason, names]) => `- ${names.map(({ name }) => `\`-${name}\``).join(', ')}: ${reason}.\n`,
  );
  return `## Everywhere\n\n${table(['parameter', 'does'], rows)}\nRefused:\n\n${lines.join('')}`;
}

/** As Prettier leaves it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => row[at]!.length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join(' | ')} |\n`;
  return [head, widths.map((width) => '-'.repeat(width)), ...rows].map(line).join('');
}

/** Stars and bars mean something in a table, but not stars in code. */
function escape(text: string): string {
  const parts = text.split('`');
  return parts
    .map((part, at) => (at % 2 === 1 ? part : part.replaceAll(/[|*<>]/g, '\\$&')))
    .join('`');
}
