import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { partnerTls } from '../../../test/support/delivery-rig.ts';
import { acceptedDomain, address, patterns, policy } from '../../../test/support/policy.ts';
import { removeDirectory } from '../../../test/support/tls-ends.ts';
import {
  causesOf,
  startValidationRig,
  statesOf,
  stepOf,
} from '../../../test/support/validation-rig.ts';
import type { ValidationRig, ValidationRigOptions } from '../../../test/support/validation-rig.ts';
import type { OutboundConnector } from '../../policy/policy.ts';
import type { FakePartnerOptions } from '../../testing/fake-partner.ts';
import { expired, makeLeaf, notYetValid } from '../../testing/certificates.ts';
import { ca } from '../../../test/support/tls-ends.ts';

after(removeDirectory);

const forced = { tlsSettings: 'DomainValidation' } as const;
const mx = 'mx.partner.test';

async function withRig(
  options: ValidationRigOptions,
  use: (rig: ValidationRig) => Promise<void>,
): Promise<void> {
  const rig = startValidationRig(options);
  try {
    await use(rig);
  } finally {
    await rig.close();
  }
}

function smartHosts(...hosts: string[]): Partial<OutboundConnector> {
  const route = { kind: 'smart-hosts', hosts: hosts.map((host) => ({ host, port: 25 })) } as const;
  return { route, tlsSettings: 'EncryptionOnly' };
}

describe('security', () => {
  const inner = ['127.0.0.1', '10.1.2.3', '192.168.0.1', '169.254.1.1', '::1', 'fd00::1'];
  for (const host of [...inner, '::ffff:127.0.0.1', '64:ff9b::7f00:1']) {
    test(`a draft to ${host} is refused without dialling`, () =>
      withRig({}, async (rig) => {
        const run = await rig.validate(smartHosts(host));
        assert.equal(run.result, 'failed');
        assert.deepEqual(causesOf(run), ['address-not-allowed']);
        assert.match(run.findings[0]!.what, /^address not allowed: /);
        assert.deepEqual(rig.dialled, []);
      }));
  }

  test('a name that DNS leads to an inner address is refused, and the other address is tried', () => {
    const zone = { 'hub.test': { a: ['192.0.2.1', '10.0.0.1'] } };
    return withRig({ zone }, async (rig) => {
      await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
      const run = await rig.validate(smartHosts('hub.test'));
      assert.deepEqual([...new Set(rig.dialled)], ['192.0.2.1 25']);
      assert.deepEqual(causesOf(run), ['address-not-allowed']);
      assert.equal(run.result, 'partial');
    });
  });

  test('our own listener is refused also where its network is allowed', () => {
    const services = { ownAddresses: () => [{ address: '192.0.2.1', port: 25 }] };
    return withRig({ services }, async (rig) => {
      const run = await rig.validate(smartHosts('192.0.2.1'));
      assert.deepEqual(causesOf(run), ['address-not-allowed']);
      assert.deepEqual(rig.dialled, []);
    });
  });

  test('hosts of a domain that the connector does not cover are not dialled', () => {
    const zone = {
      'other.test': { mx: [{ preference: 1, exchange: mx }] },
      [mx]: { a: ['192.0.2.1'] },
    };
    return withRig({ zone }, async (rig) => {
      const run = await rig.validate(forced, { to: ['b@other.test'] });
      assert.deepEqual(causesOf(run), ['recipient-not-covered']);
      assert.match(run.findings[0]!.what, /would leave without any connector/);
      assert.match(run.findings[0]!.exchangeText!, /without using any connector/);
      assert.deepEqual(rig.dialled, []);
    });
  });

  const vices: readonly [string, FakePartnerOptions][] = [
    ['offers no STARTTLS', {}],
    ['refuses STARTTLS', { tls: partnerTls.trusted, starttls: 'refused' }],
    ['goes on in clear after 220', { tls: partnerTls.trusted, starttls: 'not-tls' }],
    ['injects replies', { tls: partnerTls.trusted, starttls: 'injects' }],
    ['has an untrusted certificate', { tls: partnerTls.untrusted }],
    ['has another name', { tls: partnerTls.otherName }],
    ['offers STARTTLS once only', { tls: partnerTls.trusted, starttls: 'vanishes-after-first' }],
  ];
  for (const [what, options] of vices) {
    test(`nothing of the test leaves against the demands to a server that ${what}`, () =>
      withRig({}, async (rig) => {
        const partner = await rig.partner('192.0.2.1', options);
        const run = await rig.validate(forced);
        assert.equal(run.result, 'failed');
        assert.deepEqual(partner.messages, []);
        for (const { clear } of partner.connections) {
          assert.doesNotMatch(clear.toString('latin1'), /MAIL|RCPT|DATA|BDAT|Subject/i);
        }
      }));
  }

  test('a probe sends nothing after the handshake, and reaches no inner address', () => {
    const zone = {
      'partner.test': { mx: [{ preference: 1, exchange: mx }] },
      [mx]: { a: ['192.0.2.1', '10.0.0.1'] },
    };
    return withRig({ zone }, async (rig) => {
      const partner = await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
      const run = await rig.validate(forced, { asksEnvelope: false, message: null });
      assert.deepEqual(causesOf(run), ['address-not-allowed']);
      assert.deepEqual([...new Set(rig.dialled)], ['192.0.2.1 25']);
      const said = partner.connections
        .map(({ clear, underTls }) => `${clear.toString()}${underTls.toString()}`)
        .join('');
      assert.match(said, /STARTTLS[^]*EHLO/);
      assert.doesNotMatch(said, /MAIL|RCPT|DATA|BDAT/);
      assert.deepEqual(run.asked.scope, 'connection');
      assert.equal(stepOf(run, 'verdict')!.state, 'succeeded');
      assert.equal(stepOf(run, 'mail')!.state, 'skipped');
    });
  });

  test('stopping before DATA sends MAIL and RCPT only', () =>
    withRig({}, async (rig) => {
      const partner = await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
      const run = await rig.validate(forced, { message: null });
      assert.equal(run.result, 'succeeded');
      assert.equal(run.asked.scope, 'recipients');
      const said = partner.connections.map(({ underTls }) => underTls.toString()).join('');
      assert.match(said, /MAIL FROM:<>/);
      assert.doesNotMatch(said, /DATA|BDAT|Subject/);
      assert.equal(partner.connections.length, 1);
    }));
});

test('a right partner: each step in order, the message, transcript and certificates', () =>
  withRig({}, async (rig) => {
    const partner = await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
    const run = await rig.validate(forced);
    assert.equal(run.result, 'succeeded', run.summary);
    assert.deepEqual(run.findings, []);
    assert.deepEqual(statesOf(run, null), ['cover succeeded']);
    assert.deepEqual(statesOf(run, 'partner.test'), ['resolve succeeded']);
    assert.deepEqual(statesOf(run, mx), [
      'resolve succeeded',
      'connect succeeded',
      'banner succeeded',
      'ehlo succeeded',
      'starttls succeeded',
      'handshake succeeded',
      'chain succeeded',
      'expiry succeeded',
      'revocation skipped',
      'name succeeded',
      'tls-ehlo succeeded',
      'verdict succeeded',
      'mail succeeded',
      'rcpt succeeded',
      'message succeeded',
    ]);
    assert.deepEqual(rig.told, run.steps);
    assert.ok(run.steps.every(({ tookMs }) => tookMs >= 0 && tookMs < 5000));
    assert.match(stepOf(run, 'handshake')!.text, /^TLS 1\.3|^TLS1\.3/);
    assert.match(stepOf(run, 'revocation')!.text, /not checked/);
    assert.equal(
      run.summary,
      '1 address of 1 host would take the mail, and the test message was accepted',
    );
    const [message] = partner.messages;
    assert.equal(message?.isTls, true);
    assert.equal(message.from, '');
    assert.deepEqual(message.recipients, ['b@partner.test']);
    const [host] = run.hosts;
    const named = new Map(run.certificates.map((each) => [each.fingerprint256, each.pem]));
    const leaf = new X509Certificate(named.get(host!.chain[0]!)!);
    assert.match(leaf.subjectAltName!, /mx\.partner\.test/);
    const [check, sent] = run.transcripts;
    assert.ok(check!.lines.includes('C: STARTTLS'));
    assert.ok(check!.lines.some((line) => line.startsWith('S: 220 ')));
    assert.ok(check!.lines.some((line) => /under TLS/.test(line)));
    assert.equal(sent!.purpose, 'message');
    assert.ok(sent!.lines.some((line) => line.startsWith('C: MAIL FROM:<>')));
    assert.deepEqual(structuredClone(run), JSON.parse(JSON.stringify(run)));
  }));

describe('each vice gives its step, cause and mend', () => {
  const tls = partnerTls.trusted;
  const leafTls = (part: object) => {
    const leaf = makeLeaf(ca, [mx], part);
    return { cert: leaf.pem, key: leaf.keyPem };
  };
  const cases: readonly [string, FakePartnerOptions, Partial<OutboundConnector>, string, string][] =
    [
      ['no STARTTLS', {}, forced, 'starttls', 'no-starttls'],
      ['STARTTLS refused', { tls, starttls: 'refused' }, forced, 'starttls', 'starttls-refused'],
      ['STARTTLS cut', { tls, starttls: 'cut' }, forced, 'starttls', 'handshake-failed'],
      ['STARTTLS stalls', { tls, starttls: 'stalls' }, forced, 'handshake', 'handshake-failed'],
      ['not TLS', { tls, starttls: 'not-tls' }, forced, 'handshake', 'handshake-failed'],
      ['plaintext injected', { tls, starttls: 'injects' }, forced, 'starttls', 'handshake-failed'],
      [
        'old TLS',
        {
          tls: {
            ...tls,
            maxVersion: 'TLSv1.1',
            minVersion: 'TLSv1',
            ciphers: 'DEFAULT:@SECLEVEL=0',
          },
        },
        forced,
        'handshake',
        'handshake-failed',
      ],
      ['an unknown CA', { tls: partnerTls.untrusted }, forced, 'chain', 'untrusted-root'],
      ['self-signed', { tls: partnerTls.selfSigned }, forced, 'chain', 'untrusted-root'],
      ['expired', { tls: leafTls(expired) }, forced, 'expiry', 'expired'],
      ['not valid yet', { tls: leafTls(notYetValid) }, forced, 'expiry', 'not-yet-valid'],
      ['another name', { tls: partnerTls.otherName }, forced, 'name', 'name-mismatch'],
      [
        'another key',
        { tls },
        { tlsSettings: 'Pinned', pins: [`${'A'.repeat(43)}=`] },
        'pin',
        'pin-mismatch',
      ],
      ['greeting refused', { greeting: '554 5.7.1 go away' }, forced, 'banner', 'greeting-refused'],
      ['no greeting', { greeting: 'drop' }, forced, 'banner', 'connection-closed'],
      [
        'our certificate wanted',
        { tls: { ...tls, maxVersion: 'TLSv1.3' }, clientCertificate: 'required', clientCa: ca.pem },
        forced,
        'tls-ehlo',
        'client-certificate-refused',
      ],
      [
        'RCPT refused',
        { tls, reply: ({ command }) => (command === 'RCPT' ? '550 5.1.1 nobody' : null) },
        forced,
        'rcpt',
        'recipient-refused',
      ],
      [
        'RCPT deferred',
        { tls, reply: ({ command }) => (command === 'RCPT' ? '451 4.7.1 greylisted' : null) },
        forced,
        'rcpt',
        'recipient-deferred',
      ],
      [
        'the null sender refused',
        { tls, reply: ({ command }) => (command === 'MAIL' ? '550 5.7.1 no <>' : null) },
        forced,
        'mail',
        'sender-refused',
      ],
      [
        'the message refused',
        { tls, reply: ({ command }) => (command === 'dot' ? '554 5.7.1 spam' : null) },
        forced,
        'message',
        'message-refused',
      ],
      [
        'TLS demanded and hidden',
        { reply: ({ command }) => (command === 'MAIL' ? '530 5.7.0 Must issue STARTTLS' : null) },
        {},
        'mail',
        'tls-demanded',
      ],
    ];
  for (const [what, options, connector, step, cause] of cases) {
    test(what, () =>
      withRig({}, async (rig) => {
        await rig.partner('192.0.2.1', options);
        const run = await rig.validate(connector);
        assert.equal(run.result, 'failed');
        const failed = run.steps.filter(({ state }) => state === 'failed');
        assert.equal(
          failed[0]?.step,
          step,
          JSON.stringify(run.steps.map((s) => [s.step, s.state, s.text])),
        );
        assert.deepEqual(causesOf(run), [cause]);
        assert.ok(run.findings[0]!.mend.length > 20);
        assert.equal(run.findings[0]!.host, mx);
      }),
    );
  }

  test('no STARTTLS is told with its typical causes', () =>
    withRig({}, async (rig) => {
      await rig.partner('192.0.2.1');
      const [finding] = (await rig.validate(forced)).findings;
      assert.match(finding!.what, /STARTTLS was not offered/);
      assert.match(finding!.mend, /^Typical causes: .*firewall/);
      assert.equal(finding!.status, '4.4.317');
    }));

  test('a silent server', () =>
    withRig({}, async (rig) => {
      await rig.partner('192.0.2.1', { greeting: 'silence' });
      const run = await rig.validate(forced, { runMs: 200 });
      assert.deepEqual(causesOf(run), ['took-too-long']);
      assert.ok(rig.told.some(({ step, state }) => step === 'banner' && state === 'failed'));
    }));
});

describe('where nothing answers', () => {
  test('refused', () =>
    withRig({}, async (rig) => {
      const run = await rig.validate(forced);
      assert.deepEqual(causesOf(run), ['connection-refused']);
      assert.equal(stepOf(run, 'connect')!.state, 'failed');
      assert.equal(run.findings[0]!.status, '4.4.316');
    }));

  test('timed out', () => {
    const dial = () => Promise.reject(Object.assign(new Error('late'), { code: 'ETIMEDOUT' }));
    return withRig({ services: { dial } }, async (rig) => {
      const run = await rig.validate(forced);
      assert.deepEqual(causesOf(run), ['connection-timed-out']);
      assert.match(run.findings[0]!.mend, /firewall/);
    });
  });

  test('no such domain, no such host, no mail, DNS broken', async () => {
    const cases = [
      [{}, 'no-such-host'],
      [{ 'partner.test': { mx: [{ preference: 1, exchange: 'gone.test' }] } }, 'no-such-host'],
      [{ 'partner.test': { mx: [{ preference: 0, exchange: '' }] } }, 'null-mx'],
      [{ 'partner.test': { failures: { MX: 'servfail' } } }, 'dns-failed'],
    ] as const;
    for (const [zone, cause] of cases) {
      await withRig({ zone }, async (rig) => {
        const run = await rig.validate(forced);
        assert.deepEqual(causesOf(run), [cause]);
        assert.equal(run.result, 'failed');
        assert.ok(run.steps.some(({ step, state }) => step === 'resolve' && state === 'failed'));
      });
    }
  });
});

test('each MX by each address family is looked at, and one bad one is partial', () => {
  const zone = {
    'partner.test': {
      mx: [
        { preference: 10, exchange: mx },
        { preference: 20, exchange: 'mx2.partner.test' },
      ],
    },
    [mx]: { a: ['192.0.2.1'], aaaa: ['2001:db8::1'] },
    'mx2.partner.test': { a: ['192.0.2.2'] },
  };
  return withRig({ zone }, async (rig) => {
    await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
    const first = await rig.partner('2001:db8::1', { tls: partnerTls.trusted });
    await rig.partner('192.0.2.2', { tls: partnerTls.untrusted });
    const run = await rig.validate({ ...forced });
    assert.deepEqual(
      run.hosts.map(({ host, address: at, family, state }) => [host, at, family, state]),
      [
        [mx, '2001:db8::1', 'IPv6', 'succeeded'],
        [mx, '192.0.2.1', 'IPv4', 'succeeded'],
        ['mx2.partner.test', '192.0.2.2', 'IPv4', 'failed'],
      ],
    );
    assert.equal(run.result, 'partial');
    assert.equal(first.messages.length, 1);
  });
});

test('a family that this machine does not have is skipped, and alone it is a failure', () => {
  const zone = {
    'partner.test': { mx: [{ preference: 10, exchange: mx }] },
    [mx]: { a: ['192.0.2.1'], aaaa: ['2001:db8::1'] },
  };
  const noV6 = Object.assign(new Error('no route'), { code: 'ENETUNREACH' });
  return withRig({ zone }, async (rig) => {
    const partner = await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
    const { dialTcp } = await import('../dial.ts');
    const dial = (to: string, _port: number, local: string | null, ms: number) =>
      to.includes(':') ? Promise.reject(noV6) : dialTcp('127.0.0.1', partner.port, local, ms);
    await withRig({ zone, services: { dial } }, async (other) => {
      const run = await other.validate(forced);
      assert.equal(run.result, 'succeeded', run.summary);
      assert.deepEqual(
        run.hosts.map(({ state }) => state),
        ['skipped', 'succeeded'],
      );
    });
    await withRig(
      { zone: { ...zone, [mx]: { aaaa: ['2001:db8::1'] } }, services: { dial } },
      async (other) => {
        const run = await other.validate(forced);
        assert.equal(run.result, 'failed');
        assert.deepEqual(causesOf(run), ['connection-failed']);
      },
    );
  });
});

describe('which mail the connector takes', () => {
  test('one that is off is tried all the same, and fails for being off', () =>
    withRig({}, async (rig) => {
      await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
      const run = await rig.validate({ ...forced, enabled: false });
      assert.deepEqual(causesOf(run), ['connector-off']);
      assert.equal(run.result, 'failed');
      assert.equal(run.hosts[0]!.state, 'succeeded');
      assert.match(run.findings[0]!.exchangeText!, /not configured as part of connector/);
    }));

  test('one that only observes is judged as if it enforced', () =>
    withRig({}, async (rig) => {
      const partner = await rig.partner('192.0.2.1');
      const run = await rig.validate({ ...forced, mode: 'observe' });
      assert.deepEqual(causesOf(run), ['no-starttls']);
      assert.deepEqual(partner.messages, []);
    }));

  test('one that rules choose is tried with any address', () =>
    withRig({}, async (rig) => {
      await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
      const scoped = { ...forced, recipientDomains: [], isTransportRuleScoped: true };
      const run = await rig.validate(scoped);
      assert.equal(run.result, 'succeeded', run.summary);
    }));

  test('the demands of a connector that it leads past hold as for mail', () => {
    const strict = {
      name: 'strict',
      recipientDomains: patterns('partner.test'),
      tlsSettings: 'EncryptionOnly',
    } as const;
    return withRig({}, async (rig) => {
      const { toPartner } = await import('../../../test/support/delivery-rig.ts');
      await rig.partner('192.0.2.1');
      const held = policy({ outboundConnectors: [toPartner(strict)] });
      const scoped = { recipientDomains: [], isTransportRuleScoped: true, tlsSettings: null };
      const run = await rig.validate(scoped, { policy: held });
      assert.deepEqual(causesOf(run), ['no-starttls']);
      assert.match(run.findings[0]!.what, /connector "strict"/);
    });
  });

  test('an address with its mailbox here', () =>
    withRig({}, async (rig) => {
      const run = await rig.validate(
        { ...forced, recipientDomains: patterns('*') },
        { to: ['user@example.test'] },
      );
      assert.deepEqual(causesOf(run), ['recipient-stays-inside']);
    }));

  test('without an address the domains of the connector are looked at, and nothing is asked', () =>
    withRig({}, async (rig) => {
      const partner = await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
      const run = await rig.validate(forced, { to: [] });
      assert.equal(run.result, 'succeeded', run.summary);
      assert.equal(run.asked.scope, 'connection');
      assert.equal(stepOf(run, 'mail')!.state, 'skipped');
      assert.doesNotMatch(partner.connections[0]!.underTls.toString(), /MAIL/);
      const any = await rig.validate({ ...forced, recipientDomains: patterns('*') }, { to: [] });
      assert.deepEqual(causesOf(any), ['no-test-domain']);
    }));

  test('in the place of the connector of its name: the one in force does not count', () => {
    const saved = policy({
      acceptedDomains: [acceptedDomain('example.test')],
      outboundConnectors: [],
    });
    return withRig({ policy: saved }, async (rig) => {
      await rig.partner('192.0.2.1', { tls: partnerTls.untrusted });
      const run = await rig.validate({ tlsSettings: 'EncryptionOnly' });
      assert.equal(run.result, 'succeeded');
      assert.equal(stepOf(run, 'chain')!.state, 'skipped');
      assert.match(stepOf(run, 'chain')!.text, /not demanded.*leads to no trusted CA/);
    });
  });
});

test('sender and recipients as chosen', () =>
  withRig({}, async (rig) => {
    const partner = await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
    const reversePath = address('check@example.test');
    const run = await rig.validate(forced, {
      reversePath,
      to: ['a@partner.test', 'b@partner.test'],
    });
    assert.equal(run.result, 'succeeded');
    assert.equal(partner.messages[0]!.from, 'check@example.test');
    assert.deepEqual(partner.messages[0]!.recipients, ['a@partner.test', 'b@partner.test']);
  }));

test('what a server says cannot drive a terminal, and its dialogue is bounded', () =>
  withRig({}, async (rig) => {
    const flood = `220-${'x'.repeat(400)}\r\n`.repeat(250);
    await rig.partner('192.0.2.1', { greeting: `220-\u001b[2J\r\n${flood}220 evil` });
    const run = await rig.validate(forced);
    assert.doesNotMatch(JSON.stringify(run), /\\u001b/);
    assert.ok(run.transcripts.every(({ lines }) => lines.length <= 203));
  }));
