/** The questions about mail from a partner: TLS, the certificate of its servers, their addresses. */
import type { Situation } from './answers.ts';
import { hasSenderName, isInbound, isOutbound, listOf, wordOf } from './answers.ts';
import type { Asked, Question } from './question.ts';
import { choose, list, refuseEmpty, yesNo } from './question.ts';
import { isUnder } from './seen-servers.ts';

const kind = 'inbound-connector';

const requireTls: Question = {
  key: 'requireTls',
  option: 'require-tls',
  takes: 'flag',
  help: 'refuse mail of the sender domains that does not come over TLS (default: true)',
  field: null,
  unasked: () => 'true',
  applies: isInbound,
  ask: () => ({
    title: "Reject email messages if they aren't sent over TLS?",
    lines: [],
    form: choose(yesNo),
    fallback: 'true',
  }),
};

const senderProof: Question = {
  key: 'senderProof',
  option: 'sender-proof',
  takes: 'word',
  words: ['name', 'pins', 'none'],
  help: "by what on their certificate the partner's sending servers are known (default: name; pins where --sender-pins are given; none without --require-tls)",
  field: null,
  unasked: () => 'name',
  applies: (situation) => isInbound(situation) && wordOf(situation, 'requireTls') === 'true',
  ask: () => ({
    title: 'And require which certificate of the servers that send for the partner?',
    lines: ['The gateway asks for it in each session; servers that show none are refused then.'],
    form: choose([
      {
        word: 'name',
        text: 'issued by a trusted CA, with a name that matches: only the partner may send',
      },
      { word: 'pins', text: 'with a key that the partner told you; for certificates of no CA' },
      { word: 'none', text: 'anyone who encrypts may send with its domain' },
    ]),
    fallback: 'name',
  }),
};

const tlsSenderCertificateName: Question = {
  key: 'tlsSenderCertificateName',
  option: 'tls-sender-certificate-name',
  takes: 'list',
  help: "names one of which the partner's own client certificate must carry; *.clinic.example is the domain and all below it (needed with --sender-proof name)",
  field: { kind, key: 'tlsSenderCertificateName' },
  unasked: () => null,
  applies: hasSenderName,
  ask: askSenderName,
  refuse: (answer) => refuseEmpty(answer, 'mail.clinic.example or *.clinic.example'),
};

/** What its servers show as clients cannot be looked at: only the partner knows. */
function askSenderName(situation: Situation): Asked {
  const { domain } = situation;
  const outbound = listOf(situation, 'tlsDomain');
  const isElsewhere = outbound.some((name) => !isUnder(name, domain));
  return {
    title: 'Which name does that certificate carry, one of them?',
    lines: [
      "It is the name on the partner's own certificate, not on yours.",
      ...(isElsewhere
        ? [
            'Its servers have names of somebody else: ask the partner with which certificate it sends.',
          ]
        : []),
    ],
    form: list(isOutbound(situation) ? outbound : []),
    fallback: isElsewhere ? null : [`*.${domain}`],
  };
}

const acceptServerAuthOnly: Question = {
  key: 'acceptServerAuthOnly',
  option: 'accept-server-auth-only',
  takes: 'flag',
  help: 'also accept a client certificate that is meant for servers only, as public CAs issue them (default: false)',
  field: null,
  unasked: () => 'false',
  applies: hasSenderName,
  ask: () => ({
    title: 'Also accept a certificate that is meant for servers only?',
    lines: [
      'Public CAs issue no others any more: yes where the certificate is from one of them, no where the partner has a CA of its own.',
    ],
    form: choose(yesNo),
    fallback: 'false',
  }),
};

const senderPins: Question = {
  key: 'senderPins',
  option: 'sender-pins',
  takes: 'list',
  help: "keys one of which the partner's client certificate must have: base64 of the SHA-256 of the public key (needed with --sender-proof pins)",
  field: { kind, key: 'pins' },
  unasked: () => null,
  applies: (situation) => isInbound(situation) && wordOf(situation, 'senderProof') === 'pins',
  ask: () => ({
    title: 'Which keys do the certificates of its sending servers have?',
    lines: [
      'Each is the base64 of the SHA-256 of the public key; name the next key beside the current one.',
    ],
    form: list(),
    fallback: null,
  }),
  refuse: (answer) => refuseEmpty(answer, 'a pin, 44 characters of base64'),
};

const ip: Question = {
  key: 'ip',
  option: 'ip',
  takes: 'list',
  help: 'refuse mail of the sender domains from any other address or CIDR range than these (default: from anywhere; needed with --require-tls false)',
  field: { kind, key: 'senderIPAddresses' },
  unasked: (situation) => (isOpen(situation) ? null : []),
  applies: isInbound,
  ask: (situation) => ({
    title: "Reject email messages if they aren't sent from within these IP addresses?",
    lines: isOpen(situation)
      ? ['Nothing else restricts the mail, so there must be some.']
      : ['They are demanded besides the certificate.'],
    form: list(),
    fallback: isOpen(situation) ? null : [],
    fallbackWords: 'from anywhere',
  }),
  refuse: (answer, situation) =>
    isOpen(situation)
      ? refuseEmpty(answer, "the partner's addresses, since nothing else restricts its mail")
      : null,
};

function isOpen(situation: Situation): boolean {
  return wordOf(situation, 'requireTls') === 'false';
}

export const inboundQuestions: readonly Question[] = [
  requireTls,
  senderProof,
  tlsSenderCertificateName,
  acceptServerAuthOnly,
  senderPins,
  ip,
];
