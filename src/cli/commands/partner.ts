/** `postern partner add`: both connectors of a partner in one go, asked for on the terminal or by options. */
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { formatDomainPattern, parseDomainPattern } from '../../mail/domain-pattern.ts';
import { Failure } from '../../mail/failure.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import { formatExamples, withGatewayOptions, withJsonOption } from '../command-context.ts';
import { addPartner } from '../partner/add-partner.ts';
import type { Answer, AnswerKey, Answers } from '../partner/answers.ts';
import type { Question } from '../partner/question.ts';
import { choose, list, yesNo } from '../partner/question.ts';
import { questions } from '../partner/questions.ts';
import type { Form } from '../partner/read-answer.ts';
import { readAnswer } from '../partner/read-answer.ts';

interface Options extends GatewayOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export function addPartnerCommands(program: Command, context: CommandContext): void {
  const partner = program
    .command('partner')
    .summary('set up forced TLS with a partner')
    .description('Sets up forced TLS with a partner, in both directions.');
  addAdd(partner, context);
}

function addAdd(partner: Command, context: CommandContext): void {
  const command = partner
    .command('add')
    .argument('<domain>', "the partner's domain; *.clinic.example with all its sub-domains")
    .summary('make both connectors of a partner, question by question')
    .description(
      "Asks what Exchange's wizard asks, for both directions of a partner in one go: its domains, the route, what TLS must be and which names the certificates must carry. If wanted the gateway looks at the partner's servers first, and shows what is in the way and what to do. At the end it shows the connectors, the commands that make the same without a question, and what would change, asks, and makes all of it in one step or nothing. Each question has an option; what is said is not asked. Without a terminal, or with --yes, nothing is asked, and what must be said and is not is a wrong command line. A connector that is there already is never changed.",
    );
  for (const question of questions) command.addOption(toOption(question));
  command
    .option('--dry-run', 'only show what would be made')
    .option('--yes', 'ask nothing, and put it in force');
  withJsonOption(withGatewayOptions(command))
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'partner add clinic.example',
        "partner add clinic.example --tls-domain '*.clinic.example' --tls-sender-certificate-name '*.clinic.example' --look --yes",
        'partner add clinic.example --direction inbound --ip 192.0.2.0/24 --sender-proof none --dry-run',
      ),
    )
    .action((text: string, options: Options) => {
      const { dryRun = false, yes = false, json = false, profile, socket, config } = options;
      const gateway = { profile, socket, config };
      const given = readGiven(command);
      return addPartner(context, { ...readPattern(text), given, dryRun, yes, json, gateway });
    });
}

function readPattern(text: string): { readonly domain: string; readonly pattern: string } {
  const pattern = parseDomainPattern(text);
  if (pattern !== null && pattern.kind !== 'any') {
    return { domain: pattern.domain, pattern: formatDomainPattern(pattern) };
  }
  const form = 'write clinic.example or *.clinic.example';
  throw new Failure('option-wrong', `${JSON.stringify(text)} is no domain of a partner; ${form}`);
}

function toOption(question: Question): Option {
  const { option, takes, words, help } = question;
  const form = formOf(question);
  const read = (text: string): Answer => {
    const answer = readAnswer(text, form);
    if ('value' in answer) return answer.value;
    throw new InvalidArgumentError(`It ${answer.wrong}.`);
  };
  if (takes === 'flag') {
    return new Option(`--${option} [true|false]`, help).argParser(read);
  }
  if (takes === 'list') {
    return new Option(`--${option} <list>`, help).argParser<Answer>((text, before) => [
      ...((before as readonly string[] | undefined) ?? []),
      ...(read(text) as readonly string[]),
    ]);
  }
  const one = new Option(`--${option} <${takes === 'word' ? 'word' : 'value'}>`, help);
  // Shown and completed; a wrong word is refused by the question, which says why.
  if (words !== undefined) one.argChoices = [...words];
  return one;
}

function formOf({ takes }: Question): Form {
  if (takes === 'flag') return choose(yesNo);
  return takes === 'list' ? list() : { kind: 'text' };
}

/** What was said, by the questions that it answers. */
function readGiven(command: Command): Answers {
  const given = new Map<AnswerKey, Answer>();
  for (const { key, option } of questions) {
    const own = command.options.find(({ long }) => long === `--${option}`)!;
    const value = command.getOptionValue(own.attributeName()) as Answer | true | undefined;
    if (value !== undefined) given.set(key, value === true ? 'true' : value);
  }
  if (given.has('senderPins') && !given.has('senderProof')) given.set('senderProof', 'pins');
  return Object.fromEntries(given);
}
