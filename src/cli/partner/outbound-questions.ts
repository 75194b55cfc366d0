/** The questions about mail to a partner: its route, what TLS must be, and by what its servers are known. */
import type { AnswerKey, Situation } from './answers.ts';
import { isInbound, isOutbound, listOf, wordOf } from './answers.ts';
import type { Asked, Question } from './question.ts';
import { choose, list, refuseEmpty, yesNo } from './question.ts';
import { keysToPropose, namesToPropose, nameThePartner, isUnder } from './seen-servers.ts';

const kind = 'outbound-connector';

const smartHosts: Question = {
  key: 'smartHosts',
  option: 'smart-hosts',
  takes: 'list',
  help: "send to these hosts in place of those of the recipient domain's MX records (default: MX)",
  field: { kind, key: 'smartHosts' },
  unasked: () => [],
  applies: isOutbound,
  ask: () => ({
    title: 'Which servers take the mail?',
    lines: ['Enter alone: the hosts of its MX records. Or smart hosts by commas, in their order.'],
    form: list(),
    fallback: [],
    fallbackWords: "the MX records of the partner's domain",
  }),
};

const look: Question = {
  key: 'look',
  option: 'look',
  takes: 'flag',
  help: "look at the partner's servers first, and try the draft; where nobody can be asked, nothing is made unless the mail would pass (default: false there)",
  field: null,
  unasked: () => 'false',
  applies: isOutbound,
  ask: () => ({
    title: "Shall the gateway look at the partner's servers now?",
    lines: ['It connects as for mail, up to TLS, and sends nothing.'],
    form: choose(yesNo),
    fallback: 'true',
  }),
};

const tlsSettings: Question = {
  key: 'tlsSettings',
  option: 'tls-settings',
  takes: 'word',
  words: ['DomainValidation', 'CertificateValidation', 'EncryptionOnly', 'Pinned'],
  help: 'what TLS must be on the way to the partner (default: DomainValidation)',
  field: { kind, key: 'tlsSettings' },
  unasked: () => 'DomainValidation',
  applies: isOutbound,
  ask: ({ seen }) => ({
    title: "Connect only if the recipient's email server certificate matches which criteria?",
    lines:
      seen?.some(({ isTrusted }) => !isTrusted) === true
        ? [
            'A certificate that was seen leads to no trusted CA: it must be Pinned, or its CA named (--anchors).',
          ]
        : [],
    form: choose([
      {
        word: 'DomainValidation',
        text: 'issued by a trusted CA, and the name matches: only the partner may answer',
      },
      {
        word: 'CertificateValidation',
        text: 'issued by a trusted CA: anyone with a certificate may answer',
      },
      {
        word: 'EncryptionOnly',
        text: 'any digital certificate, including self-signed: anyone may answer',
      },
      {
        word: 'Pinned',
        text: 'the key is one that the partner told you; for certificates that are from no CA',
      },
    ]),
    fallback: 'DomainValidation',
  }),
  refuse: (answer) =>
    answer === 'Opportunistic'
      ? 'Opportunistic forces nothing, and mail to the partner is so already without a connector'
      : null,
};

const anchors: Question = {
  key: 'anchors',
  option: 'anchors',
  takes: 'text',
  help: 'the CAs that are trusted for the partner, in both directions: bundled, system, or a PEM file at the gateway (default: bundled)',
  field: { kind, key: 'anchors' },
  unasked: () => 'bundled',
  applies: mayTrustCas,
  ask: () => ({
    title: 'Which CAs are trusted for the partner?',
    lines: [
      '`bundled` are the public ones that come with Postern, `system` those of the machine; else the path of a PEM file at the gateway.',
    ],
    form: { kind: 'text' },
    fallback: 'bundled',
  }),
};

/** As long as nothing else was answered it may be. */
function mayTrustCas(situation: Situation): boolean {
  const may = (key: AnswerKey, words: readonly string[]): boolean => {
    const answer = situation.answers[key] ?? situation.given[key];
    return answer === undefined || words.includes(String(answer));
  };
  return (
    (isOutbound(situation) && may('tlsSettings', ['DomainValidation', 'CertificateValidation'])) ||
    (isInbound(situation) && may('requireTls', ['true']) && may('senderProof', ['name']))
  );
}

const tlsDomain: Question = {
  key: 'tlsDomain',
  option: 'tls-domain',
  takes: 'list',
  help: "names one of which the certificate of the partner's servers must carry; *.clinic.example is the domain and all below it (needed with DomainValidation)",
  field: { kind, key: 'tlsDomain' },
  unasked: () => null,
  applies: (situation) =>
    isOutbound(situation) && wordOf(situation, 'tlsSettings') === 'DomainValidation',
  ask: askTlsDomain,
  refuse: (answer) => refuseEmpty(answer, 'mail.clinic.example or *.clinic.example'),
};

/**
 * The proposal for an empty line is made of the domain that the person gave, never of what was seen; what
 * was seen has to be chosen.
 */
function askTlsDomain(situation: Situation): Asked {
  const { seen, domain } = situation;
  const title = 'Which names must the certificate carry, one of them?';
  const fallback = [`*.${domain}`];
  if (seen === null) {
    const isRouted = listOf(situation, 'smartHosts').length > 0;
    return { title, lines: [], form: list(), fallback: isRouted ? null : fallback };
  }
  const names = namesToPropose(seen, domain);
  const others = names.filter((name) => !isUnder(name, domain));
  return {
    title,
    lines: [
      ...(names.length === 0 ? [] : ['Seen on certificates of trusted CAs, to be chosen:']),
      ...names.map(
        (each, place) =>
          `  ${place + 1}) ${each}${isUnder(each, domain) ? '' : `   (not of ${domain})`}`,
      ),
      ...(others.length === 0
        ? []
        : [
            `DNS may have been lied to: ask the partner, by telephone, whether a name that is not of ${domain} is that of its servers.`,
          ]),
    ],
    form: list(names),
    fallback: nameThePartner(seen, domain) ? fallback : null,
  };
}

const pins: Question = {
  key: 'pins',
  option: 'pins',
  takes: 'list',
  help: "keys one of which the partner's servers must have: base64 of the SHA-256 of the public key (needed with Pinned)",
  field: { kind, key: 'pins' },
  unasked: () => null,
  applies: (situation) => isOutbound(situation) && wordOf(situation, 'tlsSettings') === 'Pinned',
  ask: ({ seen }) => {
    const keys = keysToPropose(seen ?? []);
    return {
      title: "Which keys do the partner's servers have?",
      lines: [
        'Each is the base64 of the SHA-256 of the public key; name the next key beside the current one.',
        ...(keys.length === 0
          ? []
          : ['Seen, to be chosen after you compared them with the partner by another way:']),
        ...keys.map((each, place) => `  ${place + 1}) ${each}`),
      ],
      form: list(keys),
      fallback: null,
    };
  },
  refuse: (answer) => refuseEmpty(answer, 'a pin, 44 characters of base64'),
};

/** Before the gateway looks. */
export const routeQuestions: readonly Question[] = [smartHosts, anchors, look];

export const outboundQuestions: readonly Question[] = [tlsSettings, tlsDomain, pins];
