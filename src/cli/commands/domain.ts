/** `postern domain list | verify`, and with `policy-objects.ts` `create | show | set | remove`: whose accepted domains are proven to be, and what proves them. */
import type { Command } from 'commander';
import type { DomainView } from '../../api/contract/domains.ts';
import { parseDomain } from '../../mail/domain.ts';
import { Failure } from '../../mail/failure.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { exitCode } from '../exit-code.ts';
import { formatJson } from '../json-text.ts';
import { formatTable } from '../table.ts';
import { addDomainObjectCommands } from './policy-objects.ts';

type Options = GatewayOptions & { readonly json?: boolean };

export function addDomainCommands(program: Command, context: CommandContext): void {
  const domain = program
    .command('domain')
    .summary('look at accepted domains, change them, and prove whose they are')
    .description('Looks at accepted domains, changes them, and proves whose they are.');
  addList(domain, context);
  addVerify(domain, context);
  addDomainObjectCommands(domain, context);
}

function addList(domain: Command, context: CommandContext): void {
  const command = domain
    .command('list')
    .summary('list accepted domains and what is to be published')
    .description(
      'Lists the accepted domains of the running gateway: to which organization each belongs, whether that is proven, and for the others the TXT record that proves it.',
    );
  withJsonOption(withGatewayOptions(command))
    .addHelpText(
      'after',
      formatExamples(context.offline.commandName, 'domain list', 'domain list --json'),
    )
    .action(async (options: Options) => {
      const client = await connectGateway(context, options);
      const list = await client.listDomains();
      const text = options.json === true ? formatJson(list) : formatDomains(context, list.domains);
      await context.out.print(text);
    });
}

function addVerify(domain: Command, context: CommandContext): void {
  const command = domain
    .command('verify')
    .argument('<domain>', 'an accepted domain')
    .summary('look for the record of a domain now')
    .description(
      'Looks into DNS now, without waiting for the next look. What is proven is in force when it ends. Exits with 75 where the domain is not proven.',
    );
  withJsonOption(withGatewayOptions(command))
    .addHelpText('after', formatExamples(context.offline.commandName, 'domain verify contoso.com'))
    .action(async (text: string, options: Options) => {
      const name = parseDomain(text);
      if (name === null) throw new Failure('option-wrong', `"${text}" is no domain name`);
      const client = await connectGateway(context, options);
      const view = await client.verifyDomain(name);
      if (view.state === 'unproven') context.setExitCode(exitCode.tempFail);
      const isJson = options.json === true;
      await context.out.print(
        isJson ? formatJson({ formatVersion: 1, ...view }) : describeDomain(view),
      );
    });
}

/** The table, then what is to be published: records are never cut or wrapped. */
function formatDomains(context: CommandContext, domains: readonly DomainView[]): string {
  const columns = [
    { title: 'DOMAIN', mayShrink: true },
    { title: 'ORGANIZATION', mayShrink: true },
    { title: 'TYPE' },
    { title: 'STATE' },
  ];
  const rows = domains.map(({ domain, organization, type, state }) => ({
    cells: [domain, organization, type, state],
  }));
  const open = domains.filter(({ state }) => state === 'unproven').map(describeDomain);
  return [formatTable(columns, rows, context.width), ...open].join('\n');
}

function describeDomain(view: DomainView): string {
  const { domain, record, lastLook, nextLookAt, whatToDo } = view;
  const lines = [`${domain}: ${view.text}`];
  if (record !== null) lines.push(`  publish    ${record.name}. IN TXT "${record.text}"`);
  if (lastLook !== null) lines.push(`  last look  ${lastLook.at}: ${lastLook.text}`);
  if (nextLookAt !== null) lines.push(`  next look  ${nextLookAt}`);
  if (whatToDo !== null) lines.push(`  to do      ${whatToDo}`);
  return lines.map((line) => `${sanitizePeerText(line)}\n`).join('');
}
