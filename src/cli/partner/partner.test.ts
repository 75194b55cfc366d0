import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../../../test/support/command-line.ts';
import { runProgram } from '../../../test/support/gateway.ts';
import { FakePolicyObjects } from '../../../test/support/policy-objects.ts';
import { fieldOf } from '../policy-objects/object-field.ts';
import { policyKinds } from '../policy-objects/policy-kind.ts';
import type { Answer, AnswerKey, Answers, SeenServer, Situation } from './answers.ts';
import { commandLinesOf } from './command-lines.ts';
import { changesOf, draftToLookWith, draftsOf } from './drafts.ts';
import { existingOf } from './existing-connectors.ts';
import type { Question } from './question.ts';
import { complain, findUnused, nextQuestion, questions, withAnswer } from './questions.ts';
import { readAnswer } from './read-answer.ts';

const begin: Situation = {
  domain: 'clinic.example',
  pattern: 'clinic.example',
  answers: {},
  given: {},
  organizations: ['fabrikam'],
  connectors: [],
  seen: null,
};

/** Answers like somebody who presses Enter; `said` in place of that. */
function answered(said: Answers = {}, from: Situation = begin): Situation {
  let situation = from;
  for (;;) {
    const question = nextQuestion(situation);
    if (question === null) return situation;
    const answer = said[question.key] ?? proposalOf(question, situation);
    assert.notEqual(answer, null, `${question.key} has no proposal`);
    assert.equal(complain(question, answer!, situation), null, question.key);
    situation = withAnswer(situation, question.key, answer!);
  }
}

function proposalOf(question: Question, situation: Situation): Answer | null {
  if (question.key === 'organization') return question.unasked(situation);
  return question.ask(situation).fallback;
}

function questionOf(key: AnswerKey): Question {
  return questions.find((each) => each.key === key)!;
}

const trusted: SeenServer = {
  host: 'mx.clinic.example',
  address: '192.0.2.1',
  names: ['mx.clinic.example'],
  issuer: 'CN=CA',
  notAfter: '2027-01-01T00:00:00.000Z',
  spki256: `${'A'.repeat(43)}=`,
  isTrusted: true,
};

test('whoever presses Enter forces both directions, with names', () => {
  const [outbound, inbound] = draftsOf(answered());
  assert.deepEqual(outbound, {
    place: { kind: 'outbound-connector', organization: 'fabrikam', name: 'clinic.example' },
    value: {
      name: 'clinic.example',
      recipientDomains: ['clinic.example'],
      tlsSettings: 'DomainValidation',
      tlsDomain: ['*.clinic.example'],
    },
  });
  assert.deepEqual(inbound, {
    place: { kind: 'inbound-connector', organization: 'fabrikam', name: 'clinic.example' },
    value: {
      name: 'clinic.example',
      senderDomains: ['clinic.example'],
      requireTls: true,
      restrictDomainsToCertificate: true,
      tlsSenderCertificateName: ['*.clinic.example'],
    },
  });
});

test('each answer is where it acts, and nowhere else', () => {
  const pin = `${'A'.repeat(43)}=`;
  const [outbound, inbound] = draftsOf(
    answered({
      name: 'Clinic',
      recipientDomains: ['*.clinic.example'],
      smartHosts: ['mail.clinic.example:26'],
      tlsSettings: 'Pinned',
      pins: [pin],
      senderProof: 'pins',
      senderPins: [pin],
      ip: ['192.0.2.0/24'],
      mode: 'observe',
    }),
  );
  assert.deepEqual(outbound!.value, {
    name: 'Clinic',
    mode: 'observe',
    recipientDomains: ['*.clinic.example'],
    smartHosts: ['mail.clinic.example:26'],
    tlsSettings: 'Pinned',
    pins: [pin],
  });
  assert.deepEqual(inbound!.value, {
    name: 'Clinic',
    mode: 'observe',
    senderDomains: ['*.clinic.example'],
    requireTls: true,
    restrictDomainsToCertificate: true,
    pins: [pin],
    restrictDomainsToIPAddresses: true,
    senderIPAddresses: ['192.0.2.0/24'],
  });
});

test('CAs of the partner are trusted in each direction that looks at a CA', () => {
  const anchors = './clinic.pem';
  const both = draftsOf(answered({ anchors, acceptServerAuthOnly: 'true' }));
  assert.deepEqual(
    both.map(({ value }) => [value['anchors'], value['acceptServerAuthOnly']]),
    [
      [anchors, undefined],
      [anchors, true],
    ],
  );
  const [outbound, inbound] = draftsOf(answered({ anchors, tlsSettings: 'EncryptionOnly' }));
  assert.equal(outbound!.value['anchors'], undefined);
  assert.equal(inbound!.value['anchors'], anchors);
  assert.equal(draftToLookWith(answered({ anchors }))['anchors'], anchors);
});

test('one direction asks nothing of the other, and makes one connector', () => {
  const outbound = answered({ direction: 'outbound' });
  assert.deepEqual(
    draftsOf(outbound).map(({ place }) => place.kind),
    ['outbound-connector'],
  );
  assert.equal(outbound.answers.requireTls, undefined);
  const inbound = answered({ direction: 'inbound' });
  assert.deepEqual(
    draftsOf(inbound).map(({ place }) => place.kind),
    ['inbound-connector'],
  );
  assert.equal(inbound.answers.look, undefined);
});

test('all of it is one change that overwrites nothing', () => {
  const changes = changesOf(draftsOf(answered()));
  assert.deepEqual(
    changes.map((change) => [change.kind, change.object.kind, change.expect]),
    [
      ['put', 'outbound-connector', 'absent'],
      ['put', 'inbound-connector', 'absent'],
    ],
  );
});

test('what was seen is never taken by Enter: the proposal is made of the domain alone', () => {
  const atNames = (seen: readonly SeenServer[]): Situation => {
    let situation: Situation = { ...begin, seen };
    while (nextQuestion(situation)!.key !== 'tlsDomain') {
      const question = nextQuestion(situation)!;
      situation = withAnswer(situation, question.key, proposalOf(question, situation)!);
    }
    return situation;
  };
  const ask = (seen: readonly SeenServer[]) => questionOf('tlsDomain').ask(atNames(seen));
  assert.deepEqual(ask([trusted]).fallback, ['*.clinic.example']);
  const hosted = { ...trusted, names: ['mx.attacker.example'] };
  assert.equal(ask([trusted, hosted]).fallback, null);
  assert.equal(ask([hosted]).fallback, null);
  assert.match(ask([hosted]).lines.join('\n'), /1\) mx\.attacker\.example.*not of clinic\.example/);
  assert.match(ask([hosted]).lines.join('\n'), /ask the partner, by telephone/);
  assert.equal(ask([]).fallback, null);
});

test('a name on a certificate that leads to no trusted CA is not even proposed', () => {
  const situation = { ...answered(), seen: [{ ...trusted, isTrusted: false }] };
  const asked = questionOf('tlsDomain').ask(situation);
  assert.deepEqual(asked.form, { kind: 'list', candidates: [] });
  assert.equal(asked.fallback, null);
  const settings = questionOf('tlsSettings').ask(situation);
  assert.match(settings.lines.join(), /leads to no trusted CA/);
});

test('names that anybody could have, and stars, are not proposed', () => {
  const names = ['*', '*.co.uk', 'no name', 'mx.clinic.example', 'mx.hoster.example'];
  const asked = questionOf('tlsDomain').ask({ ...answered(), seen: [{ ...trusted, names }] });
  assert.deepEqual(asked.form, {
    kind: 'list',
    candidates: ['mx.clinic.example', 'mx.hoster.example'],
  });
});

test('answers are judged by the schema of the policy', () => {
  const wrong: readonly (readonly [AnswerKey, Answer, RegExp])[] = [
    ['tlsDomain', ['*'], /accept any name/],
    ['tlsDomain', ['*.co.uk'], /anybody can register/],
    ['tlsDomain', [], /is empty/],
    ['tlsSenderCertificateName', ['mail.*.example'], /star in the wrong place/],
    ['recipientDomains', ['*'], /everybody, and no partner/],
    ['recipientDomains', [], /is empty/],
    ['senderDomains', ['ann@clinic.example'], /not an address/],
    ['smartHosts', ['smtp://mail'], /is no URL/],
    ['ip', ['192.0.2.1-192.0.2.9'], /from-to/],
    ['pins', ['AB:CD'], /base64/],
    ['tlsSettings', 'Opportunistic', /forces nothing/],
    ['tlsSettings', 'Whatever', /must be Opportunistic/],
    ['mode', 'maybe', /enforce/],
    ['name', '', /is empty/],
    ['name', 'x'.repeat(65), /longer than 64/],
    ['anchors', 'public', /bundled, system or/],
  ];
  for (const [key, answer, text] of wrong) {
    assert.match(
      complain(questionOf(key), answer, begin) ?? 'taken',
      text,
      `${key} ${String(answer)}`,
    );
  }
});

test('something must restrict mail from the partner', () => {
  const situation = withAnswer(begin, 'requireTls', 'false');
  assert.match(complain(questionOf('ip'), [], situation)!, /nothing else restricts/);
  assert.equal(questionOf('ip').unasked(situation), null);
  const [, inbound] = draftsOf(answered({ requireTls: 'false', ip: ['192.0.2.1'] }));
  assert.deepEqual(inbound!.value, {
    name: 'clinic.example',
    senderDomains: ['clinic.example'],
    requireTls: false,
    restrictDomainsToIPAddresses: true,
    senderIPAddresses: ['192.0.2.1'],
  });
});

test('names have to be said where nobody is asked, everything else is the safest', () => {
  const mustBeSaid = questions.filter((each) => each.unasked(begin) === null);
  assert.deepEqual(
    mustBeSaid.map(({ key }) => key),
    ['tlsDomain', 'pins', 'tlsSenderCertificateName', 'senderPins'],
  );
  assert.equal(questionOf('organization').unasked({ ...begin, organizations: ['a', 'b'] }), null);
});

test('CAs are not asked about where options say already that none is looked at', () => {
  const asks = (given: Answers): boolean =>
    questionOf('anchors').applies({ ...withAnswer(begin, 'direction', 'outbound'), given });
  assert.equal(asks({}), true);
  assert.equal(asks({ tlsSettings: 'DomainValidation' }), true);
  assert.equal(asks({ tlsSettings: 'EncryptionOnly' }), false);
});

test('what has no effect is found', () => {
  const situation = answered({ direction: 'outbound' });
  assert.equal(findUnused({ ...situation, given: { ip: ['192.0.2.1'] } })?.option, 'ip');
  assert.equal(findUnused({ ...situation, given: { tlsDomain: ['*.clinic.example'] } }), null);
});

test('the words are those of the schema', () => {
  for (const key of ['tlsSettings', 'mode'] as const) {
    const { words } = fieldOf(policyKinds['outbound-connector'], key);
    for (const word of questionOf(key).words!) assert.ok(words!.includes(word), word);
  }
  for (const { field } of questions)
    if (field !== null) fieldOf(policyKinds[field.kind], field.key);
});

const view = { organization: 'fabrikam', etag: '', revision: 1, changedAt: '', changedBy: '' };
const oldOutbound = existingOf({
  ...view,
  kind: 'outbound-connector',
  name: 'Old',
  value: { name: 'Old', recipientDomains: 'Clinic.Example' },
});

test('a direction that has its connector is told, and the other one proposed', () => {
  const situation = withAnswer({ ...begin, connectors: [oldOutbound] }, 'organization', 'fabrikam');
  const asked = questionOf('direction').ask(situation);
  assert.match(
    asked.lines.join('\n'),
    /The outbound connector "Old" is for clinic\.example already/,
  );
  assert.equal(asked.fallback, 'inbound');
  assert.match(
    complain(questionOf('direction'), 'both', situation)!,
    /"Old" is for clinic.example/,
  );
  assert.equal(complain(questionOf('direction'), 'inbound', situation), null);
});

test('a name that is taken is refused, in any case; the other direction may have it', () => {
  const situation = { ...begin, connectors: [oldOutbound] };
  assert.match(complain(questionOf('name'), 'OLD', situation)!, /there is an outbound connector/);
  assert.equal(
    complain(questionOf('name'), 'OLD', withAnswer(situation, 'direction', 'inbound')),
    null,
  );
});

test('connectors for more than the domains, or a part of them, are told', () => {
  const wider = { ...oldOutbound, domains: [{ kind: 'wildcard', domain: 'example' }] } as const;
  const question = questionOf('recipientDomains');
  const tell = (connectors: Situation['connectors']) =>
    question.tell!(['*.clinic.example'], { ...begin, connectors }).join();
  assert.match(tell([wider]), /"Old" for \*\.example: mail takes the one that names/);
  assert.match(tell([oldOutbound]), /"Old" for clinic\.example/);
  assert.equal(tell([{ ...wider, isOn: false }]), '');
  const plain = question.tell!(['clinic.example'], begin);
  assert.deepEqual(plain, ['mail to sub-domains of clinic.example stays as it is today']);
});

test('answers are numbers, words in any case, and lists by commas', () => {
  const form = questionOf('tlsSettings').ask(begin).form;
  assert.deepEqual(readAnswer(' 3 ', form), { value: 'EncryptionOnly' });
  assert.deepEqual(readAnswer('domainvalidation', form), { value: 'DomainValidation' });
  assert.ok('wrong' in readAnswer('9', form));
  assert.ok('wrong' in readAnswer('', form));
  const list = { kind: 'list', candidates: ['a.example', 'b.example'] } as const;
  assert.deepEqual(readAnswer('2, c.example,2', list), { value: ['b.example', 'c.example'] });
  assert.deepEqual(readAnswer('3', list), { value: ['3'] });
  assert.ok('wrong' in readAnswer('a,,b', list));
});

test('the commands that are shown make the same connectors, in both spellings', async () => {
  const situation = answered({
    name: "St. Mary's, $HOME -x",
    recipientDomains: ['*.clinic.example', 'clinic.test'],
    smartHosts: ['mail.clinic.example:26', '[2001:db8::1]:26'],
    tlsDomain: ['*.clinic.example'],
    acceptServerAuthOnly: 'true',
    ip: ['192.0.2.0/24', '2001:db8::/32'],
    mode: 'warn',
  });
  const drafts = draftsOf(situation);
  const shown = { program: 'postern', gateway: {} };
  const { kebab, cmdlets } = commandLinesOf(situation, drafts, shown);
  for (const lines of [kebab, cmdlets]) {
    const objects = new FakePolicyObjects();
    for (const line of lines) {
      const { code, stderr } = await run(await wordsOf(line), { io: objects.io });
      assert.equal(code, 0, `${line}\n${stderr}`);
    }
    for (const { place, value } of drafts) {
      assert.deepEqual(objects.values(place.kind), [value]);
    }
  }
});

test('the commands name the gateway that was meant', () => {
  const situation = answered();
  const shown = { program: 'postern', gateway: { profile: 'head office' } };
  const { partner, kebab, cmdlets } = commandLinesOf(situation, draftsOf(situation), shown);
  assert.match(partner, /--yes --profile 'head office'$/);
  assert.match(kebab[0]!, /--organization fabrikam --profile 'head office'$/);
  assert.match(cmdlets[0]!, /-Organization fabrikam -Profile 'head office'$/);
});

/** As a shell splits them, without the program. */
async function wordsOf(line: string): Promise<readonly string[]> {
  const { stdout } = await runProgram(['sh', '-c', `set -- ${line}; printf '%s\\0' "$@"`]);
  return stdout.split('\0').slice(1, -1);
}
