/** Orders against a fake lane: what is refused before anything is asked, what is kept, what alarms. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  acceptedDomain,
  address,
  organization,
  outboundConnector,
  patterns,
  policy,
} from '../../../test/support/policy.ts';
import { failedRun, hostVerdict, validationRun } from '../../../test/support/validation-run.ts';
import type { ConfigProblem } from '../../config/problem.ts';
import { Failure } from '../../mail/failure.ts';
import type { OutboundConnector, Policy } from '../../policy/policy.ts';
import type { ValidationRun } from '../../policy/validation/run.ts';
import { silentLog } from '../../report/log.ts';
import { openMemoryControl } from '../../../test/support/memory-control.ts';
import type { Configuration } from '../configuration.ts';
import type { LaneValidation } from '../messages.ts';
import type { ValidationOrder } from './order.ts';
import { Validations } from './validations.ts';

const saved = outboundConnector('partner', {
  recipientDomains: patterns('partner.test'),
  route: { kind: 'smart-hosts', hosts: [{ host: '10.0.0.5', port: 25 }] },
  tlsSettings: 'EncryptionOnly',
  validation: {
    isValidated: false,
    lastValidationTimestamp: null,
    validationRecipients: [address('b@partner.test')],
    everyMs: null,
  },
});
const order: ValidationOrder = {
  organization: 'org',
  connector: 'partner',
  draft: null,
  recipients: null,
  reversePath: null,
  from: null,
  subject: null,
  stopBefore: null,
  trigger: 'order',
  orderedBy: 'ann',
};

interface Answering {
  /** What the lane answers. */
  run?: Partial<ValidationRun>;
  connector?: OutboundConnector;
  /** What the draft is when it is parsed. */
  drafted?: OutboundConnector;
}

function configurationOf(of: Policy, file = '/etc/postern/postern.yaml'): Configuration {
  const config = { file };
  const files = new Map(
    ['known', 'theirs', 'key'].map((name) => [
      `/etc/postern/tls/${name}.pem`,
      { bytes: Buffer.alloc(0) },
    ]),
  );
  const objects = [
    { organization: 'org', name: 'x', value: { anchors: 'file:/etc/postern/tls/known.pem' } },
    { organization: 'other', name: 'x', value: { anchors: 'file:tls/theirs.pem' } },
  ];
  return { config, policy: of, files, objects } as unknown as Configuration;
}

function policyWith(...outboundConnectors: OutboundConnector[]): Policy {
  const one = policy({ acceptedDomains: [acceptedDomain('example.test')], outboundConnectors });
  const others = ['fabrikam', 'other'].map((id) => organization({ id, acceptedDomains: [] }));
  return { ...one, organizations: [...one.organizations, ...others] };
}

function start(answering: Answering = {}) {
  const asked: LaneValidation[] = [];
  const control = openMemoryControl();
  const loaded: unknown[] = [];
  let problems: readonly ConfigProblem[] = [];
  let connectors = [answering.connector ?? saved];
  const validations = new Validations({
    lanes: [
      {
        ask: async (_name: string, value: LaneValidation) => {
          asked.push(value);
          const { organization, connector, configuration } = value;
          const isDraft = configuration !== null;
          return validationRun({
            id: value.id,
            organization,
            connector,
            isDraft,
            policyRevision: policyWith().revision,
            ...answering.run,
          });
        },
      },
    ],
    inForce: () => configurationOf(policyWith(...connectors)),
    load: async (_inForce, objects) => {
      loaded.push(objects);
      if (problems.length > 0) return { kind: 'refused', problems };
      const configuration = configurationOf(policyWith(answering.drafted ?? saved));
      return { kind: 'loaded', configuration };
    },
    runs: control.validations,
    alarms: control.alarms,
    log: silentLog,
  });
  return {
    asked,
    loaded,
    validations,
    answer: (run: Partial<ValidationRun>) => void (answering.run = run),
    refuseDrafts: (at: string, text: string) => {
      const object = { kind: 'outbound-connector', organization: 'org', name: 'partner' } as const;
      const place = { file: '', line: 0, column: 0, key: at, object };
      problems = [{ ...place, text, suggestion: 'fabrikam', severity: 'error' }];
    },
    change: (...next: OutboundConnector[]) => void (connectors = next),
    validate: async (part: Partial<ValidationOrder> = {}) =>
      (await validations.start({ ...order, ...part })).run,
  };
}

const key = { organization: 'org', connector: 'partner' };

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error: unknown) => (error instanceof Failure ? error.code : String(error)),
  );
}

test('what is refused asks no lane', async () => {
  const { validate, asked } = start();
  const codes = [
    await codeOf(validate({ connector: 'other' })),
    await codeOf(validate({ organization: 'other' })),
    await codeOf(validate({ from: address('boss@bank.test') })),
    await codeOf(validate({ reversePath: address('boss@bank.test') })),
    await codeOf(validate({ draft: { name: 'other' } })),
    await codeOf(validate({ draft: { anchors: 'file:/etc/shadow' } })),
    await codeOf(validate({ draft: { anchors: 'file:tls/../../shadow' } })),
    await codeOf(validate({ draft: { clientCertificate: 'of somebody else' } })),
  ];
  assert.deepEqual(codes, [
    'outbound-connector-unknown',
    'outbound-connector-unknown',
    'validation-refused',
    'validation-refused',
    'draft-refused',
    'draft-refused',
    'draft-refused',
    'draft-refused',
  ]);
  assert.deepEqual(asked, []);
});

test('a draft that leads elsewhere is guarded as an organization wrote it', async () => {
  const moved: OutboundConnector = {
    ...saved,
    route: { kind: 'smart-hosts', hosts: [{ host: '10.0.0.6', port: 25 }] },
  };
  const setBy = async (drafted: OutboundConnector | null): Promise<string> => {
    const { validate, asked } = start(drafted === null ? {} : { drafted });
    await validate(drafted === null ? {} : { draft: { tlsSettings: 'Pinned' } });
    return asked[0]!.smartHostsSetBy;
  };
  assert.equal(await setBy(null), 'gateway');
  assert.equal(await setBy(saved), 'gateway');
  assert.equal(await setBy(moved), 'organization');
});

test('the message is Exchange-like by default, and as chosen', async () => {
  const { validate, asked } = start();
  await validate();
  const { message, recipients, reversePath } = asked[0]!;
  assert.deepEqual(recipients, [address('b@partner.test')]);
  assert.equal(reversePath, null);
  const text = Buffer.from(message!.content).toString();
  assert.match(text, /^From: O365ConnectorValidation@example\.test\r$/m);
  assert.match(text, /^Subject: Test email for connector validation\r$/m);
  assert.match(text, /^Auto-Submitted: auto-generated\r$/m);
  assert.ok(!/[^\r]\n/.test(text));
  await validate({ from: address('it@example.test'), subject: 'Hello\r\nBcc: x@y.test' });
  const chosen = Buffer.from(asked[1]!.message!.content).toString();
  assert.match(chosen, /^From: it@example\.test\r$/m);
  assert.doesNotMatch(chosen, /^Bcc/m);
  await validate({ stopBefore: 'data' });
  assert.equal(asked[2]!.message, null);
});

test('what is wrong with a draft names no other organization', async () => {
  const { validate, refuseDrafts } = start();
  const text = 'names the organization "x"; there are: fabrikam, other';
  refuseDrafts('trustedOrganizations[0]', text);
  const draft = { trustedOrganizations: ['x'] };
  await assert.rejects(validate({ draft }), ({ message }: Failure) => {
    assert.match(message, /trustedOrganizations\[0\]/);
    return !/fabrikam|other\b/.test(message);
  });
  refuseDrafts('tlsDomain', 'is needed');
  await assert.rejects(validate({ draft: {} }), /tlsDomain: is needed/);
});

test('a path is a file in a draft also without the word before it', async () => {
  const { validate, asked } = start();
  for (const anchors of ['/etc/shadow', './other.pem', 'tls/../../shadow']) {
    assert.equal(await codeOf(validate({ draft: { anchors } })), 'draft-refused', anchors);
  }
  assert.deepEqual(asked, []);
});

test('a file that the organization uses may be named by a draft, and none that others do', async () => {
  const { validate, asked } = start();
  for (const anchors of ['file:tls/key.pem', 'file:tls/theirs.pem']) {
    assert.equal(await codeOf(validate({ draft: { anchors } })), 'draft-refused');
  }
  assert.equal(asked.length, 0);
  await validate({ draft: { anchors: 'file:tls/known.pem' } });
  await validate({ draft: { anchors: 'tls/known.pem' } });
  assert.equal(asked.length, 2);
});

test('a connector is validated until its routing, TLS or names change', async () => {
  const { validate, validations, change } = start();
  assert.equal(validations.standingOf(key).isValidated, false);
  const { endedAt } = await validate();
  assert.deepEqual(validations.standingOf(key), {
    isValidated: true,
    lastValidationTimestamp: endedAt,
    validationRecipients: ['b@partner.test'],
  });
  change({ ...saved, comment: 'other words' });
  assert.equal(validations.standingOf(key).isValidated, true);
  change({ ...saved, tlsSettings: 'CertificateValidation' });
  assert.deepEqual(validations.standingOf(key), {
    isValidated: false,
    lastValidationTimestamp: null,
    validationRecipients: ['b@partner.test'],
  });
});

test('what another system recorded counts until the gateway has tried the connector itself', async () => {
  const { validation } = saved;
  const at = '2026-01-02T03:04:05Z';
  const taken = { ...validation, isValidated: true, lastValidationTimestamp: at };
  const { validate, validations, change } = start();
  change({ ...saved, validation: taken });
  assert.equal(validations.standingOf(key).lastValidationTimestamp, at);
  await validate();
  change({ ...saved, validation: taken, tlsSettings: 'CertificateValidation' });
  const { isValidated, lastValidationTimestamp } = validations.standingOf(key);
  assert.deepEqual([isValidated, lastValidationTimestamp], [false, null]);
});

test('a run under a policy that came meanwhile validates nothing of the one before', async () => {
  const { validate, validations } = start({ run: { policyRevision: 'another' } });
  await validate();
  assert.equal(validations.standingOf(key).isValidated, false);
});

test('runs are kept and read; of other connectors nothing is told', async () => {
  const { validate, validations } = start();
  const run = await validate();
  assert.deepEqual(validations.read(key, run.id), run);
  assert.throws(() => validations.read({ ...key, organization: 'x' }, run.id), {
    code: 'validation-unknown',
  });
});

test('a certificate that changed opens an alarm, a failure another, and both end', async () => {
  const { validate, validations, answer, change } = start();
  const codes = (): string[] => validations.alarms(null).map(({ code }) => code);
  await validate();
  assert.deepEqual(codes(), []);
  const renewed = { hosts: [hostVerdict({ fingerprint256: 'renewed' })] };
  answer(renewed);
  await validate();
  assert.deepEqual(codes(), ['connector-certificate-changed']);
  await validate({ trigger: 'schedule' });
  assert.deepEqual(codes(), ['connector-certificate-changed']);
  await validate();
  assert.deepEqual(codes(), []);
  answer(failedRun);
  await validate();
  assert.deepEqual(codes(), ['connector-validation-failed']);
  validations.forgetGone(policyWith(saved));
  assert.deepEqual(codes(), ['connector-validation-failed']);
  validations.forgetGone(policyWith({ ...saved, enabled: false }));
  assert.deepEqual(codes(), [], 'nobody could end it while it is off');
  await validate({ trigger: 'schedule' });
  assert.deepEqual(codes(), ['connector-validation-failed']);
  change();
  validations.forgetGone(policyWith());
  assert.deepEqual(codes(), []);
});

test('messages go to so many addresses in an hour; what stops before them still runs', async () => {
  const { validate, asked } = start();
  const recipients = Array.from({ length: 10 }, (_, at) => address(`b${at}@partner.test`));
  const part = { recipients, trigger: 'schedule' } as const;
  for (let run = 0; run < 12; run++) await validate(part);
  assert.equal(await codeOf(validate(part)), 'validation-busy');
  assert.equal(asked.length, 12);
  await validate({ ...part, stopBefore: 'data' });
});

test('one at a time for a connector, and the place is given back', async () => {
  const { validations } = start();
  const first = validations.start(order);
  assert.equal(await codeOf(validations.start(order)), 'validation-busy');
  await (
    await first
  ).run;
  await (
    await validations.start(order)
  ).run;
});
