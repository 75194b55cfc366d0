/**
 * `postern connector create|show|list|set|remove|enable|disable`, `postern domain create|show|set|remove`,
 * `postern rule create|…|move`: the options are the keys of the schema.
 */
import type { Command } from 'commander';
import { Failure } from '../../mail/failure.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  formatExamples,
  requireOption,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { confirm } from '../confirm.ts';
import { formatJson } from '../json-text.ts';
import type { Done } from '../policy-objects/carry-out.ts';
import { carryOut } from '../policy-objects/carry-out.ts';
import { lookUp } from '../policy-objects/look-up.ts';
import type { FieldChange, ObjectOrder } from '../policy-objects/object-order.ts';
import { formatChanges, formatObject, formatObjectTable } from '../policy-objects/object-text.ts';
import { addFieldOptions, readFieldOptions } from '../policy-objects/option-fields.ts';
import type { PolicyKind } from '../policy-objects/policy-kind.ts';
import { policyKinds } from '../policy-objects/policy-kind.ts';
import { kebabSpelling } from '../policy-objects/spelling.ts';
import { printable } from '../printable.ts';

interface LookOptions extends GatewayOptions {
  readonly organization?: string;
  readonly json?: boolean;
}

interface ChangeOptions extends LookOptions {
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** Under `connector`, for both directions. */
export function addConnectorCommands(connector: Command, context: CommandContext): void {
  const kinds = [policyKinds['inbound-connector'], policyKinds['outbound-connector']] as const;
  const actions = {
    create: 'create a connector',
    show: 'show one connector',
    list: 'list connectors',
    set: 'change a connector',
    remove: 'remove a connector',
    enable: 'switch a connector on',
    disable: 'switch a connector off',
  };
  for (const [action, summary] of Object.entries(actions)) {
    const words = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
    const parent = connector.command(action).summary(summary).description(words);
    for (const kind of kinds) {
      const name = kind.kind === 'inbound-connector' ? 'inbound' : 'outbound';
      addAction(parent.command(name), action, kind, context);
    }
  }
}

/** Under `domain`; it has a list of its own. */
export function addDomainObjectCommands(domain: Command, context: CommandContext): void {
  for (const action of ['create', 'show', 'set', 'remove']) {
    addAction(domain.command(action), action, policyKinds['accepted-domain'], context);
  }
}

/** `postern rule`. */
export function addRuleCommands(program: Command, context: CommandContext): void {
  const rule = program
    .command('rule')
    .summary('look at mail-flow rules and change them')
    .description('Looks at mail-flow rules and changes them.');
  const actions = ['create', 'show', 'list', 'set', 'remove', 'enable', 'disable'];
  for (const action of actions) addAction(rule.command(action), action, policyKinds.rule, context);
  addMove(rule.command('move'), context);
}

function addAction(
  command: Command,
  action: string,
  kind: PolicyKind,
  context: CommandContext,
): void {
  if (action === 'create') addCreate(command, kind, context);
  else if (action === 'set') addSet(command, kind, context);
  else if (action === 'remove') addRemove(command, kind, context);
  else if (action === 'show') addShow(command, kind, context);
  else if (action === 'list') addList(command, kind, context);
  else addSwitch(command, kind, { context, isOn: action === 'enable' });
}

/** `an inbound connector`. */
function one({ words }: PolicyKind): string {
  return `${/^[aio]/.test(words) ? 'an' : 'a'} ${words}`;
}

const nameWords = 'its name in any case, or the Guid that cmdlets print';

function addCreate(command: Command, kind: PolicyKind, context: CommandContext): void {
  command
    .summary(`create ${one(kind)}`)
    .description(
      `Creates ${one(kind)}, which is in force on every lane when the command ends. Lists are written with commas, or the option is repeated; an entry that holds a comma is put in double quotes inside of single ones. docs/config.md explains each key.`,
    );
  addFieldOptions(command, kind, true);
  if (kind.kind === 'rule') addPlace(command, 'its place among the rules (default: the last)');
  withChangeOptions(command)
    .addHelpText('after', formatExamples(context.offline.commandName, ...createExamples[kind.kind]))
    .action((options: ChangeOptions & { readonly place?: number }) => {
      const fields = readFieldOptions(command, kind);
      if (!fields.has(kind.nameKey)) {
        requireOption(undefined, `--${kind.nameKey}`);
      }
      const position = options.place ?? null;
      return run(
        context,
        { ...common(kind, options), action: 'create', fields, position },
        options,
      );
    });
}

const createExamples = {
  'inbound-connector': [
    'connector create inbound --name Contoso --sender-domains contoso.com',
    "connector create inbound --name Clinic --sender-domains '*.clinic.example' --restrict-domains-to-certificate --tls-sender-certificate-name '*.clinic.example'",
  ],
  'outbound-connector': [
    "connector create outbound --name Contoso --recipient-domains '*.contoso.com' --tls-settings DomainValidation --tls-domain '*.contoso.com'",
    'connector create outbound --name Scanner --is-transport-rule-scoped --smart-hosts scan.example:26 --tls-settings EncryptionOnly --dry-run',
  ],
  'accepted-domain': [
    'domain create --domain contoso.com',
    'domain create --domain contoso.com --type InternalRelay --match-sub-domains',
  ],
  rule: [
    "rule create --name 'Confidential mail is encrypted' --sent-to-scope NotInOrganization --subject-contains-words confidential --route-message-outbound-require-tls",
  ],
};

function addSet(command: Command, kind: PolicyKind, context: CommandContext): void {
  const example = {
    'inbound-connector': 'connector set inbound Contoso --add sender-domains=contoso.example',
    'outbound-connector':
      "connector set outbound Contoso --tls-settings EncryptionOnly --unset tls-domain --reason 'until they renew'",
    'accepted-domain': 'domain set contoso.com --recipients verify',
    rule: "rule set 'Confidential mail is encrypted' --mode Enforce",
  }[kind.kind];
  command
    .argument('<name>', nameWords)
    .summary(`change ${one(kind)}`)
    .description(
      `Changes the keys of ${one(kind)} that are named, and no others. A change that asks for less than what is in force wants to know why (--reason).`,
    );
  addFieldOptions(command, kind, false);
  withChangeOptions(command)
    .addHelpText('after', formatExamples(context.offline.commandName, example))
    .action((identity: string, options: ChangeOptions) => {
      const fields = readFieldOptions(command, kind);
      if (fields.size === 0) throw new Failure('option-wrong', 'nothing is said that shall change');
      const order = { ...common(kind, options), action: 'set', identity, fields } as const;
      return run(context, { ...order, position: null }, options);
    });
}

function addRemove(command: Command, kind: PolicyKind, context: CommandContext): void {
  const prefix = commandOf(kind, 'remove');
  command
    .argument('<name>', nameWords)
    .summary(`remove ${one(kind)}`)
    .description(`Removes ${one(kind)}. It asks before; what others need is not removed.`)
    .option('--yes', 'do not ask');
  withChangeOptions(command)
    .addHelpText('after', formatExamples(context.offline.commandName, `${prefix} NAME --dry-run`))
    .action((identity: string, options: ChangeOptions) =>
      run(
        context,
        { ...common(kind, options), action: 'remove', identity, mustConfirm: options.yes !== true },
        options,
      ),
    );
}

function commandOf({ kind }: PolicyKind, action: string): string {
  if (kind === 'rule') return `rule ${action}`;
  if (kind === 'accepted-domain') return `domain ${action}`;
  return `connector ${action} ${kind === 'inbound-connector' ? 'inbound' : 'outbound'}`;
}

function addSwitch(
  command: Command,
  kind: PolicyKind,
  { context, isOn }: { readonly context: CommandContext; readonly isOn: boolean },
): void {
  const prefix = commandOf(kind, isOn ? 'enable' : 'disable');
  command
    .argument('<name>', nameWords)
    .summary(`switch ${one(kind)} ${isOn ? 'on' : 'off'}`)
    .description(
      `Switches ${one(kind)} ${isOn ? 'on' : 'off'}.${isOn ? '' : ' Mail that it protected asks for less then, which wants a --reason.'}`,
    );
  withChangeOptions(command)
    .addHelpText('after', formatExamples(context.offline.commandName, `${prefix} NAME`))
    .action((identity: string, options: ChangeOptions) => {
      const enabled: FieldChange = { kind: 'set', value: isOn };
      const fields = new Map([['enabled', enabled]]);
      const order = { ...common(kind, options), action: 'set', identity, fields } as const;
      return run(context, { ...order, position: null }, options);
    });
}

function addMove(command: Command, context: CommandContext): void {
  command
    .argument('<name>', nameWords)
    .summary('give a rule another place')
    .description('Gives a rule another place among the rules, which act in their order.');
  addPlace(command, 'its new place');
  withChangeOptions(command)
    .addHelpText('after', formatExamples(context.offline.commandName, 'rule move NAME --place 0'))
    .action((identity: string, options: ChangeOptions & { readonly place?: number }) => {
      const position = requireOption(options.place, '--place');
      const order = { ...common(policyKinds.rule, options), action: 'set', identity } as const;
      return run(context, { ...order, fields: new Map(), position }, options);
    });
}

function addPlace(command: Command, description: string): void {
  command.option('--place <number>', `${description}, counted from 0`, readPlace);
}

function readPlace(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new Failure('option-wrong', `--place: "${text}" is no whole number from 0`);
}

function withLookOptions(command: Command): Command {
  const owner = 'the organization, by its id; needed where there are several';
  return withJsonOption(withGatewayOptions(command.option('--organization <id>', owner)));
}

function withChangeOptions(command: Command): Command {
  return withLookOptions(
    command
      .option('--reason <text>', 'why the policy is to ask for less; needed where it does')
      .option('--dry-run', 'only say what would change'),
  );
}

function common({ kind }: PolicyKind, { organization, reason, dryRun }: ChangeOptions) {
  return {
    kind,
    organization: organization ?? null,
    reason: reason ?? null,
    dryRun: dryRun === true,
    mustConfirm: false,
  };
}

async function run(
  context: CommandContext,
  order: ObjectOrder,
  options: ChangeOptions,
): Promise<void> {
  const client = await context.openPolicyObjects(options);
  const ask = (question: string): Promise<void> => confirm(context, question);
  const done = await carryOut(client, order, kebabSpelling, ask);
  if (options.json === true) return context.out.print(toJson(order, done));
  for (const note of done.notes) {
    await context.err.print(`postern: note: ${printable(note)}\n`);
  }
  await context.out.print(describe(order, done));
}

function toJson({ dryRun }: ObjectOrder, { place, before, after, notes, answer }: Done): string {
  return formatJson({ formatVersion: 1, dryRun, ...place, before, after, notes, ...answer });
}

function describe(order: ObjectOrder, done: Done): string {
  const { place, answer } = done;
  const what = `${policyKinds[place.kind].words} ${place.name} of ${place.organization}`;
  const changes = formatChanges(done);
  if (changes === '') return `${what}: nothing changes\n`;
  if (!order.dryRun) {
    const past = { create: 'created', set: 'changed', remove: 'removed' }[order.action];
    return `${what} is ${past}, revision ${answer.revision ?? ''}.\n${order.action === 'set' ? changes : ''}`;
  }
  const less = answer.weaker.map((each) => `  ${printable(each)}\n`).join('');
  const reason = less === '' ? '' : `It asks for less, and wants to know why (--reason):\n${less}`;
  return `${what} would be so; nothing was changed.\n${changes}${reason}`;
}

function addShow(command: Command, kind: PolicyKind, context: CommandContext): void {
  command
    .argument('<name>', nameWords)
    .summary(`show ${one(kind)}`)
    .description(
      `Shows ${one(kind)} as it would stand in a configuration file; --json has the defaults too.`,
    );
  withLookOptions(command)
    .addHelpText(
      'after',
      formatExamples(context.offline.commandName, `${commandOf(kind, 'show')} NAME`),
    )
    .action(async (identity: string, options: LookOptions) => {
      const { objects } = await look(context, kind, { identity, options });
      const views = objects.map(({ object }) => object);
      const text =
        options.json === true
          ? formatJson({ formatVersion: 1, objects: views })
          : views.map(formatObject).join('\n');
      await context.out.print(text);
    });
}

function addList(command: Command, kind: PolicyKind, context: CommandContext): void {
  command
    .summary(`list ${kind.words}s`)
    .description(
      `Lists ${kind.words}s${kind.kind === 'rule' ? ' in the order in which they act' : ''}.`,
    );
  withLookOptions(command)
    .addHelpText('after', formatExamples(context.offline.commandName, commandOf(kind, 'list')))
    .action(async (options: LookOptions) => {
      const { objects, organizations } = await look(context, kind, { identity: null, options });
      const views = objects.map(({ object }) => object);
      const withOrganization = organizations.length > 1;
      const text =
        options.json === true
          ? formatJson({ formatVersion: 1, objects: views })
          : formatObjectTable(kind.kind, views, { withOrganization, width: context.width });
      await context.out.print(text);
    });
}

async function look(
  context: CommandContext,
  { kind }: PolicyKind,
  { identity, options }: { readonly identity: string | null; readonly options: LookOptions },
) {
  const client = await context.openPolicyObjects(options);
  const organization = options.organization ?? null;
  return lookUp(client, { kind, organization, identity }, kebabSpelling);
}
