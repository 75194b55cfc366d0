/** `postern config check`: every problem with its place, and what each connector proves. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { LoadResult } from '../../config/load.ts';
import type { ConfigProblem } from '../../config/problem.ts';
import { formatProblem } from '../../config/problem.ts';
import { Failure } from '../../mail/failure.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import type { AcceptedDomain, Policy } from '../../policy/policy.ts';
import type { CommandContext } from '../command-context.ts';
import { formatExamples, withJsonOption } from '../command-context.ts';
import type { ConnectorGrade } from '../connector-grade.ts';
import { gradeInbound, gradeOutbound, gradeTarget } from '../connector-grade.ts';
import { exitCode } from '../exit-code.ts';
import { configPlaces, findConfigFile } from '../find-gateway.ts';
import { formatJson } from '../json-text.ts';
import { describeRecipients } from '../recipient-rule.ts';
import { formatTable } from '../table.ts';

interface GradedConnector extends ConnectorGrade {
  readonly organization: string;
  readonly direction: 'inbound' | 'outbound' | 'hand-over';
  readonly name: string;
}

export function addConfigCheck(config: Command, context: CommandContext): void {
  const command = config
    .command('check')
    .summary('check a configuration file')
    .description(
      'Reads a configuration file and prints every problem with its line and column, warnings, and what the TLS of each connector proves. Hosts that it names are looked up, within 3 s. Exits with 78 if the gateway would refuse the file.',
    )
    .argument('[file]', 'the file; without it the one that serve would take');
  withJsonOption(command)
    .addHelpText(
      'after',
      formatExamples(context.offline.commandName, 'config check', 'config check ./postern.yaml'),
    )
    .action(async (file: string | undefined, options: { readonly json?: boolean }) => {
      const path = await chooseFile(context, file);
      const result = await context.offline.checkConfig(path);
      const text = options.json === true ? toJson(path, result) : toText(context, path, result);
      await context.out.print(text);
      context.setExitCode(result.kind === 'loaded' ? exitCode.ok : exitCode.config);
    });
}

async function chooseFile(context: CommandContext, file: string | undefined): Promise<string> {
  const { surroundings } = context;
  const named = file === undefined ? undefined : resolve(surroundings.workingFolder, file);
  const path = await findConfigFile(named, surroundings);
  if (path !== null) return path;
  const message = `there is no configuration file: none of ${configPlaces.join(', ')} exists`;
  throw new Failure('config-missing', message);
}

function toJson(file: string, result: LoadResult): string {
  if (result.kind === 'refused') {
    return formatJson({ formatVersion: 1, file, kind: result.kind, problems: result.problems });
  }
  return formatJson({
    formatVersion: 1,
    file,
    kind: result.kind,
    policyRevision: result.policy.revision,
    revocation: 'not-checked',
    problems: result.warnings,
    connectors: gradeConnectors(result.policy),
    acceptedDomains: ruleDomains(result.policy),
  });
}

function toText(context: CommandContext, file: string, result: LoadResult): string {
  if (result.kind === 'refused') {
    const errors = result.problems.filter((problem) => problem.severity === 'error').length;
    const count = errors === 1 ? '1 problem' : `${errors} problems`;
    return `${formatProblems(result.problems)}${file}: refused, ${count}\n`;
  }
  const warnings = result.warnings.length;
  const count = warnings === 0 ? '' : `, ${warnings} warning${warnings === 1 ? '' : 's'}`;
  const good = `${file}: good${count} (policy ${result.policy.revision})\n`;
  return `${formatProblems(result.warnings)}${good}\n${formatGrades(context, result.policy)}\n${formatRules(context, result.policy)}`;
}

function formatProblems(problems: readonly ConfigProblem[]): string {
  return problems.map((problem) => `${sanitizePeerText(formatProblem(problem))}\n`).join('');
}

function formatGrades(context: CommandContext, policy: Policy): string {
  const graded = gradeConnectors(policy);
  if (graded.length === 0) {
    return 'No connectors: TLS is opportunistic in both directions, nothing is forced.\n';
  }
  const columns = [
    ...organizationColumn(policy),
    { title: 'CONNECTOR', mayShrink: true },
    { title: 'DIRECTION' },
    { title: 'TLS PROVES', mayShrink: true },
  ];
  const rows = graded.map(({ organization, name, direction, words }) => ({
    cells: [...organizationCell(policy, organization), name, direction, words],
  }));
  const table = formatTable(columns, rows, context.width);
  return `${table}\nWhether a certificate was revoked is not checked.\n`;
}

/** Nobody needs it where there is one. */
function organizationColumn({ organizations }: Policy): { readonly title: string }[] {
  return organizations.length > 1 ? [{ title: 'ORGANIZATION' }] : [];
}

function organizationCell({ organizations }: Policy, id: string): string[] {
  return organizations.length > 1 ? [id] : [];
}

interface RuledDomain {
  readonly organization: string;
  readonly domain: string;
  readonly rule: AcceptedDomain['recipients']['kind'];
  readonly words: string;
}

function formatRules(context: CommandContext, policy: Policy): string {
  const columns = [
    ...organizationColumn(policy),
    { title: 'ACCEPTED DOMAIN', mayShrink: true },
    { title: 'WHO EXISTS', mayShrink: true },
  ];
  const rows = ruleDomains(policy).map(({ organization, domain, words }) => ({
    cells: [...organizationCell(policy, organization), domain, words],
  }));
  return formatTable(columns, rows, context.width);
}

function ruleDomains(policy: Policy): RuledDomain[] {
  return policy.organizations.flatMap(({ id, acceptedDomains }) =>
    acceptedDomains.map((domain) => ({
      organization: id,
      domain: domain.domain,
      rule: domain.recipients.kind,
      words: describeRecipients(domain),
    })),
  );
}

function gradeConnectors(policy: Policy): GradedConnector[] {
  return policy.organizations.flatMap((organization) => [
    ...organization.outboundConnectors.map((connector) => ({
      organization: organization.id,
      direction: 'outbound' as const,
      name: connector.name,
      ...gradeOutbound(connector),
    })),
    ...organization.deliveryTargets.map((target) => ({
      organization: organization.id,
      direction: 'hand-over' as const,
      name: target.name,
      ...gradeTarget(target),
    })),
    ...organization.inboundConnectors.map((connector) => ({
      organization: organization.id,
      direction: 'inbound' as const,
      name: connector.name,
      ...gradeInbound(connector),
    })),
  ]);
}
