/** `docs/config.md`, written from the schema: every key with its form, default and meaning. */
import type { SchemaKey } from './schema-walk.ts';
import { schemaKeys } from './schema-walk.ts';

const opening = `# Configuration

<!-- Written by scripts/write-config-docs.ts from src/config/schema.ts. Do not edit. -->

One YAML file. \`postern config check FILE\` names every mistake with its line; a file with one is
refused whole, and so is an unknown key. Complete files are in \`examples/\`.

- Durations: whole numbers with \`d\`, \`h\`, \`m\`, \`s\`, \`ms\`, largest first: \`30s\`, \`15m\`, \`1h30m\`; \`0\`.
- Sizes: a whole number with \`B\`, \`KB\`, \`MB\`, \`GB\`, \`TB\` (powers of 1000) or \`KiB\`, \`MiB\`, \`GiB\`,
  \`TiB\` (powers of 1024): \`50MB\`, \`256KiB\`; \`0\`.
- Domain patterns: \`contoso.com\` is that domain, \`*.contoso.com\` that domain and all below it, \`*\`
  every domain. A star elsewhere is refused. Quote patterns that start with a star.
- Relative paths start at the folder of the file.
- Bounds are for the whole gateway; lanes share them.

Connectors bear Exchange Online's names and mean what they mean there. Where TLS is forced, nothing is
sent or taken without it. Revocation of certificates is not checked yet: \`config check\` says so for
each connector that validates certificates, the evidence of each session says so, and a connector that
demands it is refused.

What needs what:

- \`DomainValidation\` with \`smartHosts\` needs \`tlsDomain\`; \`tlsDomain\` acts with nothing else.
- \`Pinned\` needs \`pins\`; with \`CertificateValidation\` and \`DomainValidation\` pins are demanded
  besides; with \`Opportunistic\` and \`EncryptionOnly\` they are refused.
- \`restrictDomainsToCertificate\` needs \`tlsSenderCertificateName\` or \`pins\`, and a certificate is
  only ever shown over TLS, whatever \`requireTls\` says.
- A \`Partner\` inbound connector must restrict something. Connectors with an equal sender domain are
  alternatives, one of which must be met whole; unequal ones must each be met.
- Forced TLS with a partner takes one connector per direction; \`config check\` says which is missing.
`;

/** The whole document. */
export function renderConfigDocs(): string {
  const parts = [opening, renderSection('The top level', '', null)];
  for (const key of schemaKeys) {
    if (key.kind === 'value') continue;
    parts.push(renderSection(`\`${key.path}\``, sectionOf(key), key));
  }
  return parts.join('\n');
}

function sectionOf(key: SchemaKey): string {
  if (key.kind === 'list') return `${key.path}[]`;
  return key.kind === 'names' ? `${key.path}.<name>` : key.path;
}

function renderSection(title: string, section: string, owner: SchemaKey | null): string {
  const lines = [`## ${title}`, ''];
  if (owner !== null) lines.push(wrap(`${owner.meta.description} ${formOf(owner)}`.trim(), ''), '');
  for (const key of schemaKeys) if (key.section === section) lines.push(renderKey(key));
  return `${lines.join('\n')}\n`;
}

function formOf(owner: SchemaKey): string {
  if (owner.kind === 'list') return 'A list; each entry has:';
  return owner.kind === 'names' ? 'A mapping from names; each has:' : '';
}

function renderKey(key: SchemaKey): string {
  const text = `- \`${key.key}\`: ${writtenAs(key)}${defaultOf(key)}. ${key.meta.description}`;
  return wrap(text, '  ');
}

function writtenAs(key: SchemaKey): string {
  if (key.kind === 'section') return 'section, see below';
  if (key.kind === 'list') return 'list, see below';
  return key.kind === 'names' ? 'names, see below' : asCode(key.meta.form ?? '');
}

/** Stars would be emphasis. */
function asCode(text: string): string {
  return text.replaceAll(/[^\s,;]*[*$][^\s,;]*/g, '`$&`');
}

function defaultOf(key: SchemaKey): string {
  if (key.isRequired) return '; **required**';
  if (key.kind !== 'value') return '';
  if (key.meta.absent !== undefined) return `; default: ${key.meta.absent}`;
  if (Array.isArray(key.fallback)) return '; default: none';
  return key.fallback === '' ? '' : `; default: \`${String(key.fallback)}\``;
}

/** At most 100 columns, as the rest of the house; `indent` stands before every line but the first. */
function wrap(text: string, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > 100) {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}
