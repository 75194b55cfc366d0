/** The cmdlets for connectors, accepted domains and transport rules. */
import { Failure } from '../../mail/failure.ts';
import type { CommandContext } from '../command-context.ts';
import { confirm } from '../confirm.ts';
import type { Done } from '../policy-objects/carry-out.ts';
import { carryOut } from '../policy-objects/carry-out.ts';
import { lookUp } from '../policy-objects/look-up.ts';
import { toRecord } from '../policy-objects/object-record.ts';
import type { ObjectRecord } from '../policy-objects/object-record.ts';
import { formatChanges, tableKeys } from '../policy-objects/object-text.ts';
import type { PolicyKindName } from '../policy-objects/policy-kind.ts';
import { policyKinds } from '../policy-objects/policy-kind.ts';
import type { PolicyObjectsClient } from '../policy-objects/policy-objects-client.ts';
import { printable } from '../printable.ts';
import type { Arguments } from './arguments.ts';
import { resultSizeOf } from './arguments.ts';
import type { Cmdlet } from './cmdlet.ts';
import { gatewayOptionsOf } from './common-parameters.ts';
import { exchangeNameOf } from './exchange-names.ts';
import { usage } from './parameter.ts';
import { readLook, readOrder } from './policy-orders.ts';
import type { Verb } from './policy-parameters.ts';
import { cmdletSpelling, policyParameters } from './policy-parameters.ts';
import { printRecords } from './print-records.ts';

const verbs: readonly Verb[] = ['New', 'Get', 'Set', 'Remove', 'Enable', 'Disable'];

const summaries: Readonly<Record<Verb, string>> = {
  New: 'create',
  Get: 'show',
  Set: 'change',
  Remove: 'remove',
  Enable: 'switch on',
  Disable: 'switch off',
};

/** Every verb of every kind that has it. */
export function policyCmdlets(): readonly Cmdlet[] {
  return Object.values(policyKinds).flatMap(({ kind, noun, words, hasSwitch }) =>
    verbs
      .filter((verb) => hasSwitch || (verb !== 'Enable' && verb !== 'Disable'))
      .map((verb): Cmdlet => ({
        name: `${verb}-${noun}`,
        summary: `${summaries[verb]} ${verb === 'Get' ? `${words}s` : `an ${words}`.replace(/^an (?![aeio])/, 'a ')}`,
        set: policyParameters(verb, kind),
        run: (context, given) =>
          verb === 'Get' ? show(context, kind, given) : change(context, { verb, kind }, given),
      })),
  );
}

function open(context: CommandContext, given: Arguments): Promise<PolicyObjectsClient> {
  return context.openPolicyObjects(gatewayOptionsOf(given));
}

const nameOf = (kind: PolicyKindName, key: string): string => exchangeNameOf(kind, key).name;

/** The columns of Exchange's tables, as far as they are ours. */
export function columnsOf(kind: PolicyKindName): readonly string[] {
  const keys = tableKeys[kind].map((key) => nameOf(kind, key));
  if (kind === 'rule') return ['Name', 'State', 'Mode', 'Priority', 'Comments'];
  return ['Name', ...keys];
}

async function show(
  context: CommandContext,
  kind: PolicyKindName,
  given: Arguments,
): Promise<void> {
  const { order, isShown } = readLook(kind, given);
  const size = resultSizeOf(given, 1000);
  const { organizations, objects } = await lookUp(
    await open(context, given),
    order,
    cmdletSpelling,
  );
  const records = objects.flatMap(({ object, place }) =>
    isShown(object) ? [toRecord(object, place, nameOf)] : [],
  );
  if (given.flag('Verbose') === true) {
    const text = `VERBOSE: ${objects.length} found in ${organizations.join(', ')}\n`;
    await context.err.print(text);
  }
  const columns = columnsOf(kind);
  const withOwner = organizations.length > 1 ? [...columns, 'Organization'] : columns;
  await printRecords(context, given, { records: records.slice(0, size), columns: withOwner });
  if (records.length <= size) return;
  const text = `WARNING: ${size} of ${records.length} are shown; -ResultSize Unlimited shows all\n`;
  await context.err.print(text);
}

async function change(
  context: CommandContext,
  { verb, kind }: { readonly verb: Exclude<Verb, 'Get'>; readonly kind: PolicyKindName },
  given: Arguments,
): Promise<void> {
  const order = readOrder(verb, kind, given);
  const warnings = verb === 'New' && kind === 'accepted-domain' ? warnOfLabel(given) : [];
  const client = await open(context, given);
  const done = await carryOut(client, order, cmdletSpelling, (question) => ask(context, question));
  const said = [...warnings, ...done.notes];
  for (const each of said) await context.err.print(`WARNING: ${printable(each)}\n`);
  const noun = policyKinds[kind].noun;
  if (order.dryRun) return context.out.print(formatWhatIf(`${verb}-${noun}`, done));
  if (given.flag('Verbose') === true) await context.err.print(formatVerbose(done));
  if (verb === 'New') await printRecords(context, given, await recordOf(client, kind, done));
}

/** PowerShell's words where nobody can be asked. */
async function ask(context: CommandContext, question: string): Promise<void> {
  if (context.stdin.isTTY === true) return confirm(context, question);
  throw new Failure(
    'confirmation-needed',
    `${question} Nobody is there to be asked; -Confirm:$false does it unasked (in single quotes, since many shells put nothing in the place of $false)`,
  );
}

function warnOfLabel(given: Arguments): readonly string[] {
  const [label, domain] = [given.text('Name'), given.text('DomainName')];
  if (domain === null) throw usage('-DomainName is needed: the domain');
  if (label === null || label.toLowerCase() === domain.toLowerCase()) return [];
  return [`an accepted domain is named by its domain, ${domain}: the name ${label} is not kept`];
}

function formatWhatIf(cmdlet: string, done: Done): string {
  const head = `What if: Performing the operation "${cmdlet}" on target "${done.place.name}".`;
  const changes = formatChanges(done);
  const { weaker } = done.answer;
  const less =
    weaker.length === 0
      ? ''
      : `It asks for less than what is in force, so it needs a -Reason:\n${weaker.map((each) => `  ${printable(each)}\n`).join('')}`;
  return `${head}\n${changes === '' ? '  nothing would change\n' : changes}${less}`;
}

function formatVerbose({ place, answer, ...rest }: Done): string {
  const { kind, organization, name } = place;
  const what = `${policyKinds[kind].words} ${name} of ${organization}`;
  const head =
    answer.revision === null
      ? `VERBOSE: ${what}: nothing changed`
      : `VERBOSE: ${what}: revision ${answer.revision}`;
  return `${head}\n${formatChanges({ place, answer, ...rest })}`;
}

/** As the gateway has it now. */
async function recordOf(
  client: PolicyObjectsClient,
  kind: PolicyKindName,
  { place }: Done,
): Promise<{ readonly records: readonly ObjectRecord[]; readonly columns: readonly string[] }> {
  const objects = await client.listObjects(kind, place.organization);
  const at = objects.findIndex(({ name }) => name === place.name);
  const records = at === -1 ? [] : [toRecord(objects[at]!, at, nameOf)];
  return { records, columns: columnsOf(kind) };
}
