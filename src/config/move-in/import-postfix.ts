/**
 * Moving in from Postfix: main.cf and its tables become policy objects, and a report that names each
 * parameter and each line of the tables about TLS and routes.
 *
 * Pure: text in, objects and report out. What comes out loads. Nothing is weaker than it was; what
 * cannot be carried over safely is off, and said. master.cf is not read.
 */
import type { SourceFile } from './decode-text.ts';
import type { Draft } from './draft.ts';
import type { Imported } from './import-exchange.ts';
import { unprotectedBy } from './import-exchange.ts';
import { toObjects } from './imported-flow.ts';
import type { MoveLine } from './move-report.ts';
import { makeReport } from './move-report.ts';
import { organizationIdFor } from './organization-id.ts';
import { importCertificates } from './postfix-certificates.ts';
import { importDomains } from './postfix-domains.ts';
import { importInboundFlow } from './postfix-inbound.ts';
import type { MainCf } from './postfix-main-cf.ts';
import { readMainCf, spotOf } from './postfix-main-cf.ts';
import { importOutboundFlow } from './postfix-outbound.ts';
import { readOutboundSource } from './postfix-outbound-source.ts';
import { tellParameters } from './postfix-parameters.ts';
import { TableReader } from './postfix-tables.ts';
import { settleDrafts } from './settle-drafts.ts';
import { UniqueNames } from './unique-names.ts';

export interface PostfixFiles {
  readonly mainCf: SourceFile;
  /** Texts of tables, by the paths that main.cf names, or with the same last part. */
  readonly files: readonly SourceFile[];
}

export interface PostfixImported extends Imported {
  /** Paths of tables whose text was not given, as main.cf names them. */
  readonly missing: readonly string[];
}

/** `organization`: the id of the organization that they are for; null: made of its first domain. */
export function importPostfix(
  { mainCf, files }: PostfixFiles,
  organization: string | null = null,
): PostfixImported {
  const main = readMainCf(mainCf);
  const tables = new TableReader(files);
  const domains = importDomains(main, tables);
  const certificates = importCertificates(main);
  const inbound = importInboundFlow(main, tables, new UniqueNames());
  const { source, ...general } = readOutboundSource(main, tables, {
    relayed: domains.relayed,
    clientCertificate: certificates.client,
  });
  const outbound = importOutboundFlow(source, new UniqueNames());
  const parts = [domains, certificates, inbound, general, outbound];
  const told = new Set([domains, certificates, inbound, general].flatMap((part) => [...part.told]));
  const rest = tellParameters(main, told);
  const drafts: Draft[] = [domains, certificates, inbound, outbound].flatMap((part) => [
    ...part.drafts,
  ]);
  const first = drafts.find(({ kind }) => kind === 'accepted-domain');
  const isNamed = main.parameters.isSet('mydomain') || main.parameters.isSet('myhostname');
  const domain = isNamed ? main.parameters.get('mydomain') : (first?.name ?? null);
  const id = organization ?? organizationIdFor(domain);
  settleDrafts(drafts, id);
  const lines = [
    ...parts.flatMap((part) => part.lines),
    ...rest.lines,
    ...drafts.flatMap((draft) => draft.lines),
    ...tellRest(mainCf, tables, drafts),
  ];
  const idle = tellIdle(main, lines);
  const report = makeReport('postfix', {
    files: [mainCf.name, ...files.map(({ name }) => name)],
    lines: [...lines, ...idle],
    unprotected: [...unprotectedBy(drafts), ...rest.unprotected, ...general.unprotected],
  });
  return { objects: toObjects(drafts, id), report, missing: tables.missing() };
}

/** Settings that were read and decided nothing, as a relayhost where transport maps name all mail. */
function tellIdle(main: MainCf, lines: readonly MoveLine[]): MoveLine[] {
  const told = new Set(lines.map(({ file, line, property }) => `${file}\n${line}\n${property}`));
  return main.settings
    .filter(({ file, line, property }) => !told.has(`${file}\n${line}\n${property}`))
    .map((setting): MoveLine => ({
      ...spotOf(setting),
      subject: '',
      outcome: 'left-out',
      text: 'has no effect beside what the other lines say',
    }));
}

function tellRest(mainCf: SourceFile, tables: TableReader, drafts: readonly Draft[]): MoveLine[] {
  const line = (file: string, outcome: MoveLine['outcome'], text: string): MoveLine => ({
    file,
    line: 1,
    subject: '',
    property: '',
    outcome,
    text,
  });
  const hasDomain = drafts.some(({ kind, isDropped }) => kind === 'accepted-domain' && !isDropped);
  return [
    line(
      mainCf.name,
      'left-out',
      'master.cf is not read: what it sets with -o for a service is not in here',
    ),
    ...(hasDomain
      ? []
      : [
          line(
            mainCf.name,
            'not-possible',
            'it names no accepted domain (mydestination, relay_domains, virtual_mailbox_domains): name them by hand, since an organization needs one',
          ),
        ]),
    ...tables
      .unused()
      .map((name) => line(name, 'left-out', 'main.cf names no such table, or none that is read')),
  ];
}
