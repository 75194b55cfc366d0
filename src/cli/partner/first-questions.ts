/** The first questions about a partner: whose it is, which way, its name and its domains. */
import { isUnderDomain } from '../../mail/domain.ts';
import type { Answer, ConnectorKind, Situation } from './answers.ts';
import { isInbound, isOutbound, listOf } from './answers.ts';
import {
  describeTaken,
  directionOf,
  domainsKey,
  domainsOf,
  findTaken,
  patternsOf,
  tellNearby,
} from './existing-connectors.ts';
import type { Asked, Question } from './question.ts';
import { choose, list, refuseEmpty } from './question.ts';

const bothKinds: readonly ConnectorKind[] = ['outbound-connector', 'inbound-connector'];

const organization: Question = {
  key: 'organization',
  option: 'organization',
  takes: 'text',
  help: 'the organization whose partner it is, by its id; needed where there are several',
  field: null,
  unasked: ({ organizations }) => (organizations.length === 1 ? organizations[0]! : null),
  applies: () => true,
  ask: ({ organizations }) => ({
    title: 'Whose partner is it?',
    lines: [],
    form: choose(organizations.map((word) => ({ word, text: '' }))),
    fallback: null,
  }),
};

const direction: Question = {
  key: 'direction',
  option: 'direction',
  takes: 'word',
  words: ['both', 'outbound', 'inbound'],
  help: 'which connectors are made (default: both)',
  field: null,
  unasked: () => 'both',
  applies: () => true,
  ask: askDirection,
  refuse: (answer, situation) => {
    const wanted = bothKinds.filter((kind) => answer === 'both' || answer === directionOf[kind]);
    const taken = wanted.flatMap((kind) => takenIn(situation, kind) ?? []);
    if (taken.length === 0) return null;
    const free = bothKinds.filter((kind) => takenIn(situation, kind) === null);
    const rest = free.map((kind) => `; ${directionOf[kind]} is still to be made`).join('');
    return `${taken.map(describeTaken).join(', and ')}${rest}`;
  },
};

/** The connector that has the partner's domains already; null where none has. */
export function takenIn(situation: Situation, kind: ConnectorKind): ReturnType<typeof findTaken> {
  return findTaken(situation, kind, domainsOf(situation, kind));
}

function askDirection(situation: Situation): Asked {
  const taken = bothKinds.flatMap((kind) => takenIn(situation, kind) ?? []);
  const free = bothKinds.find((kind) => takenIn(situation, kind) === null);
  return {
    title: 'Which way shall mail be protected?',
    lines: [
      'Mail is forced to be encrypted in a direction only where that direction has its connector.',
      ...taken.map((each) => `${upper(describeTaken(each))}.`),
    ],
    form: choose([
      { word: 'both', text: 'to the partner and from it' },
      { word: 'outbound', text: 'to the partner only' },
      { word: 'inbound', text: 'from the partner only' },
    ]),
    fallback: taken.length === 0 ? 'both' : free === undefined ? null : directionOf[free],
  };
}

const name: Question = {
  key: 'name',
  option: 'name',
  takes: 'text',
  help: 'the name of both connectors (default: the domain)',
  field: { kind: 'outbound-connector', key: 'name' },
  unasked: ({ domain }) => domain,
  applies: () => true,
  ask: (situation) => ({
    title: 'How shall the connectors be called?',
    lines: [],
    form: { kind: 'text' },
    fallback: refuseName(situation.domain, situation) === null ? situation.domain : null,
  }),
  refuse: refuseName,
};

function refuseName(answer: Answer, situation: Situation): string | null {
  const lower = String(answer).toLowerCase();
  const found = situation.connectors.find(
    (each) => isMade(situation, each.kind) && each.name.toLowerCase() === lower,
  );
  if (found === undefined) return null;
  return `there is an ${directionOf[found.kind]} connector "${found.name}" already, and it is left as it is; choose another name`;
}

function isMade(situation: Situation, kind: ConnectorKind): boolean {
  return kind === 'inbound-connector' ? isInbound(situation) : isOutbound(situation);
}

/** Of either direction. */
function domainsQuestion(
  kind: ConnectorKind,
  rest: Pick<Question, 'option' | 'help' | 'unasked'> & { readonly title: string },
): Question {
  const key = domainsKey[kind];
  return {
    key,
    takes: 'list',
    field: { kind, key },
    applies: (situation) => isMade(situation, kind),
    ...rest,
    ask: (situation) => ({
      title: rest.title,
      lines: [
        `${situation.domain} is this domain alone, *.${situation.domain} the domain and all its sub-domains.`,
      ],
      form: list(),
      fallback: rest.unasked(situation),
    }),
    refuse: (answer, situation) => refuseDomains(answer, situation, kind),
    tell: (answer, situation) => tellDomains(answer as readonly string[], situation, kind),
  };
}

function refuseDomains(answer: Answer, situation: Situation, kind: ConnectorKind): string | null {
  const empty = refuseEmpty(answer, 'clinic.example or *.clinic.example, one or several');
  if (empty !== null) return empty;
  const domains = answer as readonly string[];
  if (patternsOf(domains).some((pattern) => pattern.kind === 'any')) {
    return `"*" is everybody, and no partner (\`connector create ${directionOf[kind]}\` makes such a connector)`;
  }
  const taken = findTaken(situation, kind, domains);
  return taken === null ? null : describeTaken(taken);
}

function tellDomains(
  domains: readonly string[],
  situation: Situation,
  kind: ConnectorKind,
): readonly string[] {
  const uncovered = patternsOf(domains).flatMap((pattern) =>
    pattern.kind === 'exact' && !domains.some((each) => covers(each, pattern.domain))
      ? [pattern.domain]
      : [],
  );
  const way = kind === 'outbound-connector' ? 'to' : 'from';
  return [
    ...uncovered.map((each) => `mail ${way} sub-domains of ${each} stays as it is today`),
    ...tellNearby(situation, kind, domains),
  ];
}

function covers(pattern: string, domain: string): boolean {
  return pattern.startsWith('*.') && isUnderDomain(domain, pattern.slice(2));
}

const recipientDomains = domainsQuestion('outbound-connector', {
  option: 'recipient-domains',
  title: 'Mail to which domains is it about?',
  help: 'mail to these domains takes the outbound connector; *.clinic.example is the domain and all below it (default: the domain)',
  unasked: ({ pattern }) => [pattern],
});

const senderDomains = domainsQuestion('inbound-connector', {
  option: 'sender-domains',
  title: 'Mail from which domains is it about?',
  help: 'mail from these domains is restricted by the inbound connector (default: the recipient domains, or the domain)',
  unasked: (situation) => {
    const other = listOf(situation, 'recipientDomains');
    return isOutbound(situation) && other.length > 0 ? other : [situation.pattern];
  },
});

export const firstQuestions: readonly Question[] = [
  organization,
  direction,
  name,
  recipientDomains,
  senderDomains,
];

function upper(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
