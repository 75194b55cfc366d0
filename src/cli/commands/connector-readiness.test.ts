import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { makeFolder, nowMs, run, startFakeGateway } from '../../../test/support/command-line.ts';
import {
  address,
  clearSession,
  evidence,
  serverEvidence,
  tlsEvidence,
} from '../../../test/support/policy.ts';
import { writeRecordedMail } from '../../../test/support/recorded-folder.ts';
import type { Mail } from '../../../test/support/recorded-mail.ts';
import { minimalConfig } from '../../../test/support/sample-config.ts';
import { loadConfig } from '../../config/load.ts';
import type { Evidence } from '../../policy/evidence.ts';
import type { ConnectorMode, OutboundConnector } from '../../policy/policy.ts';

const config = `${minimalConfig()}    inboundConnectors:
      - { name: partner, senderDomains: partner.test, requireTls: true }
      - { name: quiet, senderDomains: quiet.test, requireTls: true }
    outboundConnectors:
      - { name: partner, recipientDomains: partner.test, tlsSettings: EncryptionOnly }
`;
const inTls = serverEvidence({ chain: [], paths: [] });

function arriving(shown = inTls): Mail {
  return {
    session: {
      listener: 'mx',
      clientAddress: '203.0.113.9',
      heloName: 'mail.partner.test',
      evidence: { ...shown, peer: { ...shown.peer, address: '203.0.113.9' } },
      account: null,
      reversePath: address('ann@partner.test'),
    },
    recipients: [address('user@example.test')],
    atMs: nowMs - 3600_000,
  };
}

function leaving(server: Evidence): Mail {
  const { session, ...mail } = arriving();
  const from = { organization: 'example', account: 'user' };
  const reversePath = address('user@example.test');
  return {
    ...mail,
    session: { ...session, listener: 'submission', account: from, reversePath },
    recipients: [address('bob@partner.test')],
    server: () => server,
  };
}

async function prepare(
  t: TestContext,
  mode: ConnectorMode,
  mails: readonly Mail[],
  toPartner: Partial<OutboundConnector> = {},
): Promise<string> {
  const folder = await makeFolder(t);
  await writeFile(join(folder, 'postern.yaml'), config);
  const loaded = await loadConfig(join(folder, 'postern.yaml'));
  assert.ok(loaded.kind === 'loaded', JSON.stringify(loaded));
  const policy = {
    ...loaded.policy,
    organizations: loaded.policy.organizations.map((each) => ({
      ...each,
      inboundConnectors: each.inboundConnectors.map((one) => ({ ...one, mode })),
      outboundConnectors: each.outboundConnectors.map((one) => ({ ...one, ...toPartner })),
    })),
  };
  await writeRecordedMail(join(folder, 'data'), policy, mails);
  return folder;
}

const inbound = ['connector', 'readiness', 'partner', '--direction', 'inbound'];

test('all that was seen passed: ready, and 0', async (t) => {
  const workingFolder = await prepare(
    t,
    'observe',
    Array.from({ length: 3 }, () => arriving()),
  );
  const result = await run(inbound, { io: { workingFolder } });
  assert.deepEqual([result.code, result.stderr], [0, '']);
  assert.match(
    result.stdout,
    /^inbound connector partner of example: 3 of 3 would have passed in 30 days\nReady: /,
  );
});

test('failures are listed with when, who, which client, why, id and what to do: 2', async (t) => {
  const mails = [arriving(), arriving(clearSession())];
  for (const mode of ['observe', 'warn', 'enforce'] as const) {
    const workingFolder = await prepare(t, mode, mails);
    const result = await run(inbound, { io: { workingFolder } });
    assert.equal(result.code, 2, result.stderr);
    assert.match(result.stdout, /partner of example: 1 of 2 would have passed .*\nNot ready\./);
    assert.match(
      result.stdout,
      /2026-11-22T09:02:00Z +\w{12} +<ann@partner\.test> +user@example\.test +203\.0\.113\.9\n +connector "partner" requires encryption; the session was not encrypted\n/,
    );
    assert.match(result.stdout, /\nWhat to do: /);
  }
});

test('nothing seen is not ready', async (t) => {
  const workingFolder = await prepare(t, 'observe', [arriving()]);
  const io = { workingFolder };
  for (const line of [
    ['connector', 'readiness', 'quiet'],
    [...inbound, '--days', '1', '--organization', 'example', '--data', 'data'].with(2, 'quiet'),
  ]) {
    const result = await run(line, { io });
    assert.equal(result.code, 2, result.stderr);
    assert.match(
      result.stdout,
      /quiet of example: 0 of 0 would have passed in .*\nNothing that it/,
    );
  }
  const both = await run(['connector', 'readiness', 'partner'], { io });
  assert.equal(both.code, 2);
  assert.match(both.stdout, /inbound connector partner of example: 1 of 1 /);
  assert.match(both.stdout, /outbound connector partner of example: 0 of 0 /);
});

test('what was not examined is counted apart, and alone it is not ready', async (t) => {
  const shown = evidence({ tls: tlsEvidence({ paths: [] }) });
  const line = ['connector', 'readiness', 'partner', '--direction', 'outbound'];
  const validated = { mode: 'observe', tlsSettings: 'CertificateValidation' } as const;
  const mails = [leaving(shown), leaving(evidence()), leaving(shown)];
  for (const [count, words] of [
    [3, /1 of 1 would have passed .*\nReady: .*\n2 more messages cannot be judged: /],
    [1, /0 of 0 would have passed .*\nNobody can say whether .*\n1 more message cannot be judged/],
  ] as const) {
    const workingFolder = await prepare(t, 'enforce', mails.slice(0, count), validated);
    const result = await run(line, { io: { workingFolder } });
    assert.equal(result.code, count === 1 ? 2 : 0, result.stderr);
    assert.match(result.stdout, words);
  }
});

test('JSON has the counts, the modes and every failure', async (t) => {
  const workingFolder = await prepare(t, 'warn', [arriving(), arriving(clearSession())]);
  const result = await run([...inbound, '--json'], { io: { workingFolder } });
  assert.deepEqual([result.code, result.stderr], [2, '']);
  const { results, ...rest } = JSON.parse(result.stdout) as {
    results: { failures: { id: string; reason: string }[] }[];
  } & Record<string, unknown>;
  assert.equal(rest['formatVersion'], 1);
  const [{ failures, ...counts } = { failures: [] }] = results;
  assert.deepEqual(counts, {
    direction: 'inbound',
    organization: 'example',
    met: 1,
    unmet: 1,
    undecided: 0,
    modes: { enforce: 0, warn: 2, observe: 0 },
    policyRevisions: 1,
    failuresLeftOut: 0,
    isReady: false,
  });
  assert.equal(failures.length, 1);
});

test('an unknown name is refused with the nearest; another organization has no such connector', async (t) => {
  const workingFolder = await prepare(t, 'observe', [arriving()]);
  const io = { workingFolder };
  const wrong = await run(['connector', 'readiness', 'partnr'], { io });
  assert.equal(wrong.code, 66);
  assert.match(wrong.stderr, /there is no connector partnr; did you mean partner\?/);
  const other = await run([...inbound, '--organization', 'two'], { io });
  assert.equal(other.code, 66);
});

test('a connector that is gone from the configuration still has its records', async (t) => {
  const workingFolder = await prepare(t, 'observe', [arriving()]);
  await writeFile(join(workingFolder, 'postern.yaml'), minimalConfig());
  const result = await run(inbound, { io: { workingFolder } });
  assert.equal(result.code, 0, result.stderr);
  const near = await run(['connector', 'readiness', 'partnr'], { io: { workingFolder } });
  assert.match(near.stderr, /did you mean partner\?/);
});

test('it asks the gateway that runs', async (t) => {
  let organization: string | undefined;
  const { socketPath } = await startFakeGateway(t, {
    readRecords: async (query) => {
      organization = query.organization;
      return { traces: [], facts: [], next: null };
    },
  });
  const result = await run([...inbound, '--socket', socketPath, '--organization', 'example']);
  assert.equal(result.code, 66);
  assert.equal(organization, 'example');
});
