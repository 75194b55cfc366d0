import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { makeFolder, run, startFakeGateway } from '../../../test/support/command-line.ts';
import type { CliResult } from '../../../test/support/command-line.ts';
import { validationRun } from '../../../test/support/validation-run.ts';
import type { ValidationOrderView } from '../../api/contract/validation.ts';
import type { ApiServices } from '../../api/services.ts';
import type { ConnectorOf } from '../../api/validation-services.ts';
import { findingOf } from '../../policy/validation/findings.ts';
import type { ValidationRun, ValidationStep } from '../../policy/validation/run.ts';

const step: ValidationStep = {
  kind: 'step',
  host: 'mx.partner.test',
  address: '192.0.2.1',
  family: 'IPv4',
  recipient: null,
  step: 'starttls',
  state: 'failed',
  startedAt: '2026-11-28T20:00:00.000Z',
  tookMs: 1.2,
  text: 'the server offers no STARTTLS',
};
const place = { host: 'mx.partner.test', address: '192.0.2.1' };
const bad: Partial<ValidationRun> = {
  result: 'failed',
  summary: 'STARTTLS was not offered',
  findings: [findingOf('no-starttls', 'STARTTLS was not offered', { ...place, status: '4.4.317' })],
  steps: [step],
};

type Asked = readonly [ConnectorOf, ValidationOrderView];

function configOf(...organizations: readonly (readonly [string, ...string[]])[]) {
  return {
    organizations: organizations.map(([id, ...names]) => ({
      id,
      outboundConnectors: names.map((name) => ({ name })),
    })),
  };
}

async function start(
  t: TestContext,
  part: Partial<ValidationRun> = {},
  config: object = configOf(['org', 'partner', 'other'], ['second', 'other']),
): Promise<{
  readonly asked: Asked[];
  readonly cli: (...words: string[]) => Promise<CliResult>;
}> {
  const asked: Asked[] = [];
  const services: Partial<ApiServices> = {
    readConfig: async () =>
      ({
        formatVersion: 1,
        file: '/etc/postern/postern.yaml',
        configRevision: 'c',
        policyRevision: 'p',
        loadedAt: '2026-11-28T20:00:00.000Z',
        fileState: 'same',
        config,
      }) as never,
    startValidation: async (...args) => {
      asked.push(args);
      return {
        watch: (onStep) => onStep(step),
        run: Promise.resolve(validationRun(part)),
      };
    },
    listValidations: async ({ organization, name }) => ({
      formatVersion: 1,
      organization,
      connector: name,
      isValidated: false,
      lastValidationTimestamp: null,
      validationRecipients: [],
      runs: [
        {
          id: 'run-1',
          isDraft: false,
          trigger: 'schedule',
          orderedBy: 'schedule',
          startedAt: '2026-11-28T20:00:00.000Z',
          endedAt: '2026-11-28T20:00:01.000Z',
          policyRevision: 'p',
          scope: 'recipients',
          recipients: [],
          result: 'failed',
          summary: 'STARTTLS was not offered',
        },
      ],
      next: null,
    }),
    readValidation: async () =>
      validationRun({
        ...bad,
        transcripts: [{ ...place, port: 25, purpose: 'check', lines: ['S: 220 hello'] }],
      }),
    listAlarms: async () => ({
      formatVersion: 1,
      alarms: [
        {
          code: 'connector-validation-failed',
          organization: 'org',
          object: 'outbound-connector/partner',
          since: '2026-11-28T20:00:00.000Z',
          text: 'the validation of "partner" fails',
          whatToDo: 'Mend it.',
        },
      ],
    }),
  };
  const { socketPath: socket } = await startFakeGateway(t, services);
  return { asked, cli: (...words) => run([...words, '--socket', socket]) };
}

test('steps, what is in the way, and what to do', async (t) => {
  const { cli, asked } = await start(t, bad);
  const { code, stdout } = await cli('connector', 'validate', 'partner', '--to', 'b@partner.test');
  assert.equal(code, 69);
  assert.match(
    stdout,
    /^FAILED +STARTTLS +1\.2 ms +mx\.partner\.test \[192\.0\.2\.1\]: the server offers no STARTTLS$/m,
  );
  assert.match(stdout, /^partner: FAILED: STARTTLS was not offered$/m);
  assert.match(
    stdout,
    /^1\. mx\.partner\.test \[192\.0\.2\.1\]: STARTTLS was not offered \(4\.4\.317\)$/m,
  );
  assert.match(stdout, /^ {3}Exchange: "450 4\.4\.317 Cannot connect to remote server"$/m);
  assert.match(stdout, /^ {3}To do: Typical causes: /m);
  assert.deepEqual(asked[0]![0], { organization: 'org', name: 'partner' });
  assert.deepEqual(asked[0]![1].recipients, ['b@partner.test']);
});

test('the exit code is that of the result', async (t) => {
  for (const [result, expected] of [
    ['succeeded', 0],
    ['partial', 2],
    ['failed', 69],
  ] as const) {
    const { cli } = await start(t, { result });
    assert.equal((await cli('connector', 'validate', 'partner')).code, expected);
  }
});

test('JSON is the run alone', async (t) => {
  const { cli } = await start(t);
  const { stdout } = await cli('connector', 'validate', 'partner', '--json');
  assert.deepEqual(JSON.parse(stdout), validationRun());
});

test('whatever is chosen is asked for', async (t) => {
  const { cli, asked } = await start(t);
  const folder = await makeFolder(t);
  const draft = join(folder, 'draft.yaml');
  await writeFile(draft, 'recipientDomains: partner.test\ntlsSettings: EncryptionOnly\n');
  const chosen = ['--to', 'a@partner.test', 'b@partner.test', '--no-data', '--draft', draft];
  const senders = ['--from', 'it@example.test', '--reverse-path', 'it@example.test'];
  const more = ['--subject', 'Hello', '--organization', 'second'];
  await cli('connector', 'validate', 'new', ...chosen, ...senders, ...more);
  const [of, order] = asked[0]!;
  assert.deepEqual(of, { organization: 'second', name: 'new' });
  const { by, ...rest } = order;
  assert.ok(by.length > 0);
  assert.deepEqual(rest, {
    recipients: ['a@partner.test', 'b@partner.test'],
    draft: { recipientDomains: 'partner.test', tlsSettings: 'EncryptionOnly' },
    from: 'it@example.test',
    reversePath: 'it@example.test',
    subject: 'Hello',
    stopBefore: 'data',
  });
  await cli('connector', 'validate', 'partner', '--tls-only');
  assert.deepEqual(asked[1]![1].recipients, []);
  await cli('connector', 'validate', 'partner');
  assert.equal(asked[2]![1].recipients, undefined);
});

test('wrong words ask nothing of the gateway', async (t) => {
  const { cli, asked } = await start(t);
  const folder = await makeFolder(t);
  const list = join(folder, 'list.yaml');
  await writeFile(list, '- name: x\n');
  const broken = join(folder, 'broken.yaml');
  await writeFile(broken, 'a: [\n');
  const cases: readonly [readonly string[], number, RegExp][] = [
    [['partnr'], 66, /did you mean partner/],
    [['other'], 64, /--organization, one of org, second/],
    [['new', '--draft', list], 78, /must be one connector/],
    [['partner', '--draft', broken], 78, /broken\.yaml:\d+:\d+/],
    [['partner', '--draft', join(folder, 'absent')], 66, /no such file/],
    [['partner', '--to', 'nobody'], 65, /"nobody" is no address/],
    [['partner', '--tls-only', '--to', 'a@b.test'], 64, /asks nobody/],
  ];
  for (const [words, code, text] of cases) {
    const result = await cli('connector', 'validate', ...words);
    assert.equal(result.code, code, `${words.join(' ')}: ${result.stderr}`);
    assert.match(result.stderr, text);
  }
  assert.deepEqual(asked, []);
});

test('a draft of what is not there yet goes to the only organization', async (t) => {
  const { cli, asked } = await start(t, {}, configOf(['org', 'partner']));
  const draft = join(await makeFolder(t), 'draft.yaml');
  await writeFile(draft, 'recipientDomains: partner.test\n');
  await cli('connector', 'validate', 'new', '--draft', draft);
  assert.deepEqual(asked[0]![0], { organization: 'org', name: 'new' });
});

test('earlier runs, one of them, and alarms', async (t) => {
  const { cli } = await start(t);
  const list = await cli('connector', 'validations', 'partner');
  assert.match(list.stdout, /^partner: NOT VALIDATED, never, as it is now$/m);
  assert.match(list.stdout, /failed +RCPT +schedule +no +run-1$/m);
  const one = await cli('connector', 'validations', 'partner', '--run', 'run-1', '--transcript');
  assert.match(one.stdout, /^ {2}S: 220 hello$/m);
  assert.match(one.stdout, /To do: /);
  const alarms = await cli('alarms');
  assert.equal(alarms.code, 2);
  assert.match(alarms.stdout, /org +outbound-connector\/partner +connector-validation-failed$/m);
  assert.match(alarms.stdout, /To do: Mend it\./);
});
