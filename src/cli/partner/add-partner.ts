/** The wizard for a partner from start to end: ask, look, show, confirm, change all or nothing. */
import type { ApiClient } from '../../api/client.ts';
import type { ChangedView } from '../../api/contract/policy-objects.ts';
import { Failure } from '../../mail/failure.ts';
import type { ValidationRun } from '../../policy/validation/run.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import { connectGateway } from '../command-context.ts';
import { exitCode } from '../exit-code.ts';
import { formatJson } from '../json-text.ts';
import { findOrganizations } from '../policy-objects/find-object.ts';
import { policyObjectsOf } from '../policy-objects/open-policy-objects.ts';
import { printable } from '../printable.ts';
import type { Answers, Situation } from './answers.ts';
import { isOutbound, wordOf } from './answers.ts';
import { askQuestions, say } from './ask-questions.ts';
import type { CommandLines } from './command-lines.ts';
import { commandLinesOf } from './command-lines.ts';
import type { Draft } from './drafts.ts';
import { draftToLookWith, draftsOf } from './drafts.ts';
import { describeTaken, existingOf } from './existing-connectors.ts';
import { takenIn } from './first-questions.ts';
import { reason } from './last-questions.ts';
import { describeSeen, tryDraft } from './look-at-partner.ts';
import { formatCommands, formatDrafts, formatNext } from './partner-text.ts';
import type { Prompter } from './prompter.ts';
import { openPrompter } from './prompter.ts';
import type { Question } from './question.ts';
import { complain, withAnswer } from './questions.ts';
import { changeAll, formatPlan } from './review.ts';
import { seenServersOf } from './seen-servers.ts';

/** What the command line said. `gateway` is shown again in commands. */
export interface PartnerOrder {
  readonly domain: string;
  /** As it was written: the domain alone, or with all below it. */
  readonly pattern: string;
  readonly given: Answers;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly json: boolean;
  readonly gateway: GatewayOptions;
}

interface Wizard {
  readonly context: CommandContext;
  readonly client: ApiClient;
  readonly order: PartnerOrder;
  /** Null where nobody is asked. */
  readonly prompter: Prompter | null;
}

/** What would be made, and what is known of it. `run` null where nobody looked. */
interface Prepared {
  readonly situation: Situation;
  readonly drafts: readonly Draft[];
  readonly commands: CommandLines;
  readonly run: ValidationRun | null;
  readonly plan: ChangedView;
}

export async function addPartner(context: CommandContext, order: PartnerOrder): Promise<void> {
  const client = await connectGateway(context, order.gateway);
  const isAsked = context.stdin.isTTY === true && !order.yes;
  const prompter = isAsked ? openPrompter(context) : null;
  try {
    await runWizard({ context, client, order, prompter });
  } finally {
    prompter?.close();
  }
}

async function runWizard(wizard: Wizard): Promise<void> {
  const { context, order, prompter } = wizard;
  const begin = await beginWith(wizard);
  const situation = await askQuestions(begin, {
    prompter,
    err: context.err,
    width: context.width,
    after: (question, now) => learn(wizard, question, now),
  });
  if (prompter === null && !order.yes && !order.dryRun) {
    throw new Failure('confirmation-needed', 'nobody is there to be asked whether it is right');
  }
  const prepared = await prepare(wizard, situation);
  await show(wizard, prepared);
  if (order.dryRun) return endDryRun(wizard, prepared);
  const decided = await decide(wizard, prepared);
  // From here on nobody can give up: it is done or it is not, and the end says which.
  const why = wordOf(decided, 'reason').trim();
  const changed = await changeAll(wizard.client, prepared.drafts, {
    dryRun: false,
    reason: why === '' ? null : why,
  });
  await tellDone(wizard, { ...prepared, situation: decided }, changed);
}

/** Where there is one organization it is that one. */
async function beginWith(wizard: Wizard): Promise<Situation> {
  const { client, order, context } = wizard;
  const { domain, pattern, given } = order;
  const named = given.organization === undefined ? null : String(given.organization);
  const organizations = await findOrganizations(policyObjectsOf(client), named);
  const nothing: Situation = {
    domain,
    pattern,
    answers: {},
    given,
    organizations,
    connectors: [],
    seen: null,
  };
  if (organizations.length === 0) {
    throw new Failure('object-unknown', 'there is no organization yet that could have a partner');
  }
  if (wizard.prompter !== null) {
    const what = `A partner for ${organizations.length === 1 ? organizations[0]! : 'an organization'}: ${domain}.`;
    await say(context, [`${what} Nothing is changed before the last question; Ctrl-C gives up.`]);
  }
  if (organizations.length > 1) return nothing;
  return readConnectors(wizard, withAnswer(nothing, 'organization', organizations[0]!));
}

async function learn(wizard: Wizard, question: Question, now: Situation): Promise<Situation> {
  if (question.key === 'organization') return readConnectors(wizard, now);
  if (question.key !== 'look' || wordOf(now, 'look') !== 'true') return now;
  // Where nobody is asked what is seen helps nobody; the draft itself is tried.
  if (wizard.prompter === null) return now;
  const run = await look(wizard, now, draftToLookWith(now));
  if (run === null) return now;
  const seen = seenServersOf(run);
  await say(wizard.context, ['', ...describeSeen(seen).map((line) => `Seen: ${line}.`)]);
  return { ...now, seen };
}

function look(wizard: Wizard, situation: Situation, value: Draft['value']) {
  const { context, client, prompter, order } = wizard;
  const organization = wordOf(situation, 'organization');
  const isQuiet = order.json && prompter === null;
  return tryDraft({ context, client, prompter, isQuiet }, { organization, value });
}

/** Throws `partner-exists` where both directions are taken by connectors for this domain. */
async function readConnectors({ client, order }: Wizard, now: Situation): Promise<Situation> {
  const objects = policyObjectsOf(client);
  const organization = wordOf(now, 'organization');
  const lists = await Promise.all(
    (['outbound-connector', 'inbound-connector'] as const).map((kind) =>
      objects.listObjects(kind, organization),
    ),
  );
  const situation = { ...now, connectors: lists.flat().map(existingOf) };
  const { recipientDomains, senderDomains } = order.given;
  if (recipientDomains !== undefined || senderDomains !== undefined) return situation;
  const [outbound, inbound] = [
    takenIn(situation, 'outbound-connector'),
    takenIn(situation, 'inbound-connector'),
  ];
  if (outbound === null || inbound === null) return situation;
  const text = `${now.domain} is a partner already: ${describeTaken(outbound)}; ${describeTaken(inbound)}`;
  throw new Failure('partner-exists', text);
}

async function prepare(wizard: Wizard, situation: Situation): Promise<Prepared> {
  const { client, order, prompter, context } = wizard;
  const drafts = draftsOf(situation);
  const [first] = drafts;
  const isLooked = isOutbound(situation) && wordOf(situation, 'look') === 'true';
  if (isLooked && prompter !== null) await say(context, ['', 'The connector as it would be:']);
  const run = isLooked ? await look(wizard, situation, first!.value) : null;
  if (isLooked && prompter === null && !order.dryRun && !wouldPass(run)) {
    const text = `the partner's servers do not meet ${first!.place.name}: ${run?.summary ?? 'the gateway did not look'}; nothing was changed`;
    throw new Failure('partner-not-ready', text);
  }
  const commands = commandLinesOf(situation, drafts, {
    program: context.offline.commandName,
    gateway: order.gateway,
  });
  const plan = await changeAll(client, drafts, { dryRun: true, reason: null }).catch(
    async (error: unknown) => {
      // Nobody shall answer everything again for one mistake.
      if (prompter !== null) await say(context, ['', 'These answers, to be mended:']);
      if (prompter !== null) await context.err.print(`  ${printable(commands.partner)}\n`);
      throw error;
    },
  );
  return { situation, drafts, commands, run, plan };
}

function wouldPass(run: ValidationRun | null): boolean {
  return run !== null && run.result !== 'failed';
}

/** On standard error where somebody is asked afterwards, who must see it. */
async function show({ context, order, prompter }: Wizard, prepared: Prepared): Promise<void> {
  if (prompter === null && order.json) return;
  const { situation, drafts, commands, plan } = prepared;
  const text = `\n${formatDrafts(situation, drafts)}\n${formatCommands(commands)}\n${formatPlan(plan, drafts)}`;
  await (prompter === null ? context.out : context.err).print(text);
}

/** The reason where less is asked, then yes or no. Throws `not-confirmed`, `option-wrong`. */
async function decide(
  { context, order, prompter }: Wizard,
  { situation, plan, run }: Prepared,
): Promise<Situation> {
  const needsReason = plan.weaker.length > 0 && wordOf(situation, 'reason').trim() === '';
  if (prompter === null) {
    if (!needsReason) return situation;
    const what = plan.weaker.join('; ');
    throw new Failure('option-wrong', `--reason is needed, since it asks for less: ${what}`);
  }
  const decided = needsReason ? await askReason(context, prompter, situation) : situation;
  if (run !== null && !wouldPass(run) && wordOf(situation, 'mode') === 'enforce') {
    const until =
      'until its servers meet this, and comes back to its sender if they do not in time';
    await say(context, ['', `As it is now, mail to ${order.domain} would WAIT ${until}.`]);
  }
  const answer = await prompter.ask('\nPut this in force? [y/N] > ');
  if (/^y(es)?$/i.test(answer.trim())) return decided;
  throw new Failure('not-confirmed', 'nothing was changed');
}

async function askReason(
  context: CommandContext,
  prompter: Prompter,
  situation: Situation,
): Promise<Situation> {
  for (;;) {
    await say(context, ['', 'It asks for less than what is in force. Why?']);
    const answer = (await prompter.ask('> ')).trim();
    const wrong = answer === '' ? 'is empty' : complain(reason, answer, situation);
    if (wrong === null) return withAnswer(situation, 'reason', answer);
    await say(context, [`Not so: the answer ${wrong}.`]);
  }
}

async function endDryRun({ context, order }: Wizard, prepared: Prepared): Promise<void> {
  const { run, plan, situation } = prepared;
  const isLooked = wordOf(situation, 'look') === 'true' && isOutbound(situation);
  if (isLooked && !wouldPass(run)) context.setExitCode(exitCode.unavailable);
  await context.out.print(
    order.json ? toJson(prepared, plan, undefined) : 'Nothing was changed.\n',
  );
}

async function tellDone(wizard: Wizard, prepared: Prepared, changed: ChangedView): Promise<void> {
  const { context, client, order } = wizard;
  const { situation, drafts } = prepared;
  const { revision } = changed;
  const address = await readRehearsalAddress(client, wordOf(situation, 'organization'));
  if (order.json) return context.out.print(toJson(prepared, changed, address));
  const made = { revision, rehearsalAddress: address };
  const count = drafts.length === 1 ? 'The connector is' : 'Both connectors are';
  const next = formatNext(situation, made, {
    program: context.offline.commandName,
    gateway: order.gateway,
  });
  await context.out.print(`${count} in force as revision ${revision}.\n${next}`);
}

/** Null where there is none; undefined where it cannot be read. */
async function readRehearsalAddress(
  client: ApiClient,
  name: string,
): Promise<string | null | undefined> {
  try {
    const { value } = await client.readObject({ kind: 'organization', organization: null, name });
    const address = value['rehearsalAddress'];
    return typeof address === 'string' ? address : null;
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

function toJson(
  { situation, drafts, commands, run }: Prepared,
  { kind, revision, differences, weaker, warnings }: ChangedView,
  rehearsalAddress: string | null | undefined,
): string {
  const objects = drafts.map(({ place, value }) => ({ ...place, value }));
  const validation =
    run === null
      ? null
      : { id: run.id, result: run.result, summary: run.summary, findings: run.findings };
  return formatJson({
    formatVersion: 1,
    kind,
    organization: wordOf(situation, 'organization'),
    domain: situation.domain,
    objects,
    validation,
    commands,
    revision,
    differences,
    weaker,
    warnings,
    rehearsalAddress: rehearsalAddress ?? null,
  });
}
