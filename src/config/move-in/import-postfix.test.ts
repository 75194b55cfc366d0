import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertGolden, readFixtures } from '../../../test/support/move-in/golden.ts';
import type { Imported } from './import-exchange.ts';
import { importPostfix } from './import-postfix.ts';
import { formatFlow } from './imported-flow.ts';
import { formatReport } from './move-report.ts';

const base = 'mydomain = fabrikam.com\nmydestination = fabrikam.com\ncompatibility_level = 3.6\n';

function importText(main: string, tables: Readonly<Record<string, string>> = {}): Imported {
  const files = Object.entries(tables).map(([name, content]) => ({ name, content }));
  return importPostfix({ mainCf: { name: 'main.cf', content: `${base}${main}` }, files });
}

const withPolicy = (policy: string, main = ''): Imported =>
  importText(`smtp_tls_CAfile = /etc/ca.pem\nsmtp_tls_policy_maps = hash:/etc/p\n${main}`, {
    p: policy,
  });

type Value = Readonly<Record<string, unknown>>;

function valuesOf({ objects }: Imported, kind = 'outbound-connector'): readonly Value[] {
  return objects.filter((object) => object.kind === kind).map(({ value }) => value);
}

function tlsOf(imported: Imported): Value | undefined {
  const [value] = valuesOf(imported);
  if (value === undefined) return undefined;
  const { name: _name, recipientDomains: _domains, ...rest } = value;
  return rest;
}

test('a realistic main.cf with 300 policies moves in, and the report tells all of it', () => {
  const files = readFixtures('postfix');
  const mainCf = files.find(({ name }) => name === 'main.cf')!;
  const { objects, report } = importPostfix({
    mainCf,
    files: files.filter((file) => file !== mainCf),
  });
  assertGolden('postfix/report.txt', formatReport(report));
  assertGolden('postfix/flow.yaml', formatFlow(objects, []));
  const told = new Set(
    report.lines.filter(({ file }) => file === 'tls_policy').map(({ line }) => line),
  );
  assert.equal(told.size, 300);
});

test('each level is what it demands', () => {
  const secure = { tlsSettings: 'DomainValidation', anchors: '/etc/ca.pem' };
  for (const [policy, expected] of [
    ['none', {}],
    ['may', {}],
    ['encrypt', { tlsSettings: 'EncryptionOnly' }],
    ['encrypt protocols=>=TLSv1.3', { tlsSettings: 'EncryptionOnly', minVersion: 'TLSv1.3' }],
    [
      'encrypt protocols=!SSLv2:!SSLv3:!TLSv1:!TLSv1.1:!TLSv1.2',
      { tlsSettings: 'EncryptionOnly', minVersion: 'TLSv1.3' },
    ],
    ['secure', secure],
    ['verify', secure],
    ['secure match=nexthop', { ...secure, tlsDomain: ['contoso.com'] }],
    [
      'secure match=mail.contoso.com:.b.org',
      { ...secure, tlsDomain: ['mail.contoso.com', '*.b.org'] },
    ],
    [
      'verify match=hostname:nexthop:mx.b.org',
      { ...secure, tlsDomain: ['contoso.com', 'mx.b.org'] },
    ],
    ['secure tafile=/etc/own.pem', { ...secure, anchors: '/etc/own.pem' }],
  ] as const) {
    assert.deepEqual(tlsOf(withPolicy(`contoso.com ${policy}\n`)), expected, policy);
  }
});

test('what cannot be demanded is off under the strictest, and said to be unprotected', () => {
  for (const policy of [
    'dane',
    'dane-only',
    'half-dane',
    'encrypted',
    'fingerprint match=00:11',
    'encrypt unknown=1',
    'encrypt protocols=TLSv1',
  ]) {
    const imported = withPolicy(`contoso.com ${policy}\n`);
    assert.equal(tlsOf(imported)?.['enabled'], false, policy);
    assert.deepEqual(imported.report.unprotected, ['mail to contoso.com'], policy);
    assert.ok(imported.report.counts['not-possible'] > 0, policy);
  }
});

test('a SHA-256 fingerprint becomes a pin that is off, since it may be of the certificate', () => {
  const hash = 'AB:'.repeat(31) + 'CD';
  const imported = withPolicy(`contoso.com fingerprint match=${hash}\n`);
  const pin = Buffer.from(hash.replaceAll(':', ''), 'hex').toString('base64');
  assert.deepEqual(tlsOf(imported), { enabled: false, tlsSettings: 'Pinned', pins: [pin] });
});

test('without a CA of Postfix, bundled ones are trusted, and that is said', () => {
  const imported = importText('smtp_tls_policy_maps = hash:/p\n', { p: 'contoso.com secure\n' });
  assert.deepEqual(tlsOf(imported), { tlsSettings: 'DomainValidation' });
  assert.match(formatReport(imported.report), /p:1: .*changed: .*Postfix was told of no CA/);
});

test('a folder of CAs that no connector can name turns its connectors off', () => {
  const imported = importText('smtp_tls_CApath = /etc/own\nsmtp_tls_policy_maps = hash:/p\n', {
    p: 'contoso.com secure\n',
  });
  assert.equal(tlsOf(imported)?.['enabled'], false);
});

test('trust anchors that Postfix trusts alone are trusted alone', () => {
  const imported = withPolicy('a.com secure\n', 'smtp_tls_trust_anchor_file = /etc/own.pem\n');
  assert.deepEqual(tlsOf(imported), {
    tlsSettings: 'DomainValidation',
    anchors: '/etc/own.pem',
  });
  assert.match(formatReport(imported.report), /smtp_tls_CAfile: left out: has no effect beside/);
});

test('whoever turns on what is off gets no less than there was', () => {
  for (const policy of ['dane-only protocols=TLSv1.3', 'fingerprint match=00 protocols=TLSv1.3']) {
    assert.deepEqual(
      tlsOf(withPolicy(`contoso.com ${policy}\n`)),
      { enabled: false, tlsSettings: 'DomainValidation', minVersion: 'TLSv1.3' },
      policy,
    );
  }
  const nameless = withPolicy('[192.0.2.1] secure\n', 'relayhost = [192.0.2.1]\n');
  assert.deepEqual(tlsOf(nameless), {
    enabled: false,
    tlsSettings: 'DomainValidation',
    tlsDomain: ['name-to-be-written.invalid'],
    anchors: '/etc/ca.pem',
    smartHosts: ['192.0.2.1'],
  });
});

test('a server elsewhere that keeps mailboxes must prove its name where it had to', () => {
  const main = 'virtual_mailbox_domains = b.org\nvirtual_transport = lmtp:inet:store.b.org:24\n';
  const base = { name: 'LMTP store.b.org:24', protocol: 'lmtp', address: 'store.b.org:24' };
  const proven = { tlsSettings: 'DomainValidation', tlsDomain: ['store.b.org'] };
  for (const [more, expected] of [
    ['', base],
    ['lmtp_tls_security_level = encrypt\n', base],
    ['lmtp_tls_security_level = verify\n', { ...base, ...proven }],
    ['lmtp_tls_policy_maps = hash:/l\n', { ...base, ...proven }],
    [
      'lmtp_tls_security_level = secure\nlmtp_tls_CAfile = /etc/own.pem\n',
      { ...base, ...proven, anchors: '/etc/own.pem' },
    ],
  ] as const) {
    assert.deepEqual(valuesOf(importText(`${main}${more}`), 'delivery-target'), [expected], more);
  }
});

test('a domain and all below it are one connector, where both are treated alike', () => {
  const both = valuesOf(withPolicy('contoso.com encrypt\n.contoso.com encrypt\n'));
  assert.deepEqual(
    both.map((each) => each['recipientDomains']),
    [['*.contoso.com']],
  );
});

test('all below a domain does not cover the domain itself', () => {
  const values = valuesOf(withPolicy('.contoso.com may\n', 'smtp_tls_security_level = encrypt\n'));
  assert.deepEqual(
    values.map((each) => [each['recipientDomains'], each['tlsSettings']]),
    [
      [['contoso.com'], 'EncryptionOnly'],
      [['*.contoso.com'], undefined],
      [['*'], 'EncryptionOnly'],
    ],
  );
});

test('policies are looked up by next hop, so those of domains that go elsewhere do nothing', () => {
  const imported = importText('transport_maps = hash:/t\nsmtp_tls_policy_maps = hash:/p\n', {
    t: 'contoso.com smtp:[mail.contoso.com]:587\n',
    p: 'contoso.com secure\n[mail.contoso.com]:587 encrypt\n',
  });
  assert.deepEqual(tlsOf(imported), {
    smartHosts: ['mail.contoso.com:587'],
    tlsSettings: 'EncryptionOnly',
  });
  assert.match(
    formatReport(imported.report),
    /p:1: contoso.com: left out: "secure": has no effect/,
  );
});

test('with a relayhost mail of every domain goes there, but for what the transport map says', () => {
  const imported = importText(
    'relayhost = [relay.contoso.com]\ntransport_maps = hash:/t\nsmtp_tls_policy_maps = hash:/p\n',
    {
      t: 'adatum.com smtp:\n',
      p: 'adatum.com encrypt\nb.org secure\n[relay.contoso.com] encrypt\n',
    },
  );
  const found = valuesOf(imported).map((each) => [
    each['recipientDomains'],
    each['smartHosts'],
    each['tlsSettings'],
  ]);
  assert.deepEqual(found, [
    [['adatum.com'], undefined, 'EncryptionOnly'],
    [['*'], ['relay.contoso.com'], 'EncryptionOnly'],
  ]);
});

test('a transport of master.cf may demand more, so its connector is off', () => {
  const imported = importText('transport_maps = hash:/t\n', {
    t: 'contoso.com secure-out:[mail.contoso.com]\n',
  });
  assert.equal(tlsOf(imported)?.['enabled'], false);
});

test('of two policies for one key the stricter is taken, in whatever order they stand', () => {
  for (const lines of ['encrypt\ncontoso.com secure', 'secure\ncontoso.com encrypt']) {
    assert.equal(tlsOf(withPolicy(`contoso.com ${lines}\n`))?.['tlsSettings'], 'DomainValidation');
  }
});

test('regular expressions for domains are read, in their order; all behind another are not', () => {
  const patterns = String.raw`/^contoso\.com$/ encrypt
/(^|\.)adatum\.com$/ secure
/\.sub\.adatum\.com$/ none
/bank/ secure
/^late\.com$/ none
`;
  const main = 'smtp_tls_policy_maps = regexp:/p\n';
  const imported = importText(main, { p: patterns });
  const found = valuesOf(imported).map((each) => [each['recipientDomains'], each['tlsSettings']]);
  assert.deepEqual(found, [
    [['contoso.com'], 'EncryptionOnly'],
    [['*.adatum.com'], 'DomainValidation'],
  ]);
  const text = formatReport(imported.report);
  assert.match(text, /p:3: .*left out: .*an earlier line takes all/);
  assert.match(text, /p:4: .*NOT POSSIBLE: .*is a pattern that is not one of domains/);
  assert.match(text, /p:5: .*NOT POSSIBLE: .*stands behind a pattern/);
});

test('tables that are not at hand are said, and what they protect', () => {
  const imported = importText(
    'smtp_tls_policy_maps = hash:/etc/p socketmap:unix:/run/tlspol:QUERY\n',
  );
  assert.deepEqual(imported.report.unprotected, [
    'mail to next hops in it (hash:/etc/p)',
    'mail to next hops in it (socketmap:unix:/run/tlspol:QUERY)',
  ]);
});

test('the type of table that Postfix takes where none is named is one that is read', () => {
  const imported = importText('smtp_tls_policy_maps = $default_database_type:/p\n', {
    p: 'a.com encrypt\n',
  });
  assert.deepEqual(tlsOf(imported), { tlsSettings: 'EncryptionOnly' });
});

test('policies that are written in main.cf itself are read', () => {
  const main =
    'smtp_tls_policy_maps = inline:{ contoso.com=encrypt, { adatum.com = secure match=mx.adatum.com } }\n';
  const found = valuesOf(importText(main)).map((each) => [
    each['recipientDomains'],
    each['tlsSettings'],
    each['tlsDomain'],
  ]);
  assert.deepEqual(found, [
    [['contoso.com'], 'EncryptionOnly', undefined],
    [['adatum.com'], 'DomainValidation', ['mx.adatum.com']],
  ]);
});

test('a general level that forces TLS holds for all other mail', () => {
  for (const [level, settings] of [
    ['encrypt', 'EncryptionOnly'],
    ['secure', 'DomainValidation'],
    ['verify', 'DomainValidation'],
  ] as const) {
    const [value] = valuesOf(importText(`smtp_tls_security_level = ${level}\n`));
    assert.deepEqual(
      [value?.['recipientDomains'], value?.['tlsSettings'], value?.['enabled']],
      [['*'], settings, undefined],
    );
  }
  const [withheld] = valuesOf(importText('smtp_tls_security_level = dane-only\n'));
  assert.deepEqual([withheld?.['enabled'], withheld?.['tlsSettings']], [false, 'DomainValidation']);
  const dane = importText('smtp_tls_security_level = dane\n');
  assert.deepEqual(valuesOf(dane), []);
  assert.deepEqual(dane.report.unprotected, ['mail to domains that publish TLSA records']);
});

test('older switches force TLS too', () => {
  const [value] = valuesOf(importText('smtp_enforce_tls = yes\n'));
  assert.equal(value?.['tlsSettings'], 'DomainValidation');
  const [unnamed] = valuesOf(
    importText('smtp_enforce_tls = yes\nsmtp_tls_enforce_peername = no\n'),
  );
  assert.equal(unnamed?.['tlsSettings'], 'EncryptionOnly');
});

test('forced TLS of everybody who sends here is a connector for everybody', () => {
  for (const main of ['smtpd_tls_security_level = encrypt\n', 'smtpd_enforce_tls = yes\n']) {
    const [value] = valuesOf(importText(main), 'inbound-connector');
    assert.deepEqual(
      [value?.['senderDomains'], value?.['requireTls'], value?.['enabled']],
      [['*'], true, undefined],
    );
  }
});

test('the TLS version that was demanded of everybody is demanded of own servers too', () => {
  const imported = importText(
    `smtpd_tls_security_level = encrypt
smtpd_tls_mandatory_protocols = >=TLSv1.3
mynetworks = 192.0.2.0/24
relay_clientcerts = hash:/c
smtpd_relay_restrictions = permit_mynetworks, permit_tls_clientcerts, defer_unauth_destination
`,
    { c: `${'AB:'.repeat(31)}CD x\n` },
  );
  assert.deepEqual(
    valuesOf(imported, 'inbound-connector').map(({ minVersion }) => minVersion),
    ['TLSv1.3', 'TLSv1.3', 'TLSv1.3'],
  );
});

test('own networks may relay only where a restriction says so', () => {
  const [value] = valuesOf(
    importText('mynetworks = 192.0.2.0/24 [2001:db8::]/32\n'),
    'inbound-connector',
  );
  assert.deepEqual(value?.['senderIPAddresses'], ['192.0.2.0/24', '2001:db8::/32']);
  const none = importText(
    'mynetworks = 192.0.2.0/24\nsmtpd_relay_restrictions = reject_unauth_destination\n',
  );
  assert.deepEqual(valuesOf(none, 'inbound-connector'), []);
  const except = importText('mynetworks = !192.0.2.9 192.0.2.0/24\n');
  assert.deepEqual(valuesOf(except, 'inbound-connector'), []);
  assert.match(formatReport(except.report), /mynetworks: NOT POSSIBLE: exceptions/);
});

test('clients by fingerprint are pins: on where main.cf says that they are of keys, else off', () => {
  const hash = 'AB:'.repeat(31) + 'CD';
  const tables = { c: `${hash} OK\n` };
  const [unclear] = valuesOf(
    importText('smtpd_relay_restrictions = check_ccert_access hash:/c, reject\n', tables),
    'inbound-connector',
  );
  assert.equal(unclear?.['enabled'], false);
  const order = '{ hash:/c { search_order = pubkey_fingerprint } }';
  const [clear] = valuesOf(
    importText(`smtpd_relay_restrictions = check_ccert_access ${order}, reject\n`, tables),
    'inbound-connector',
  );
  assert.deepEqual(
    [clear?.['enabled'], clear?.['pins'], clear?.['connectorType']],
    [undefined, [Buffer.from(hash.replaceAll(':', ''), 'hex').toString('base64')], 'OnPremises'],
  );
});

test('who is permitted where it grants no relaying may not relay here', () => {
  const tables = { c: `${'AB:'.repeat(31)}CD OK\n` };
  const access = 'check_ccert_access { hash:/c { search_order = pubkey_fingerprint } }';
  const networks = 'mynetworks = 192.0.2.0/24\n';
  const relay = 'smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\n';
  for (const main of [
    `smtpd_client_restrictions = ${access}\n`,
    `smtpd_sender_restrictions = ${access}\n`,
    `smtpd_relay_restrictions = reject_unauth_destination, ${access}, permit_mynetworks\n${networks}`,
    `smtpd_relay_restrictions = permit_sasl_authenticated, reject\n${networks}smtpd_client_restrictions = permit_mynetworks\n`,
    `${relay}${networks}smtpd_recipient_restrictions = reject_unauth_destination\n`,
    `${relay}relay_clientcerts = hash:/c\nsmtpd_client_restrictions = permit_tls_clientcerts\n`,
    `${relay}smtpd_recipient_restrictions = ${access}, reject_unauth_destination\n`,
  ]) {
    const imported = importText(main, tables);
    assert.deepEqual(valuesOf(imported, 'inbound-connector'), [], main);
  }
  for (const recipients of ['', 'check_policy_service unix:p', 'permit_mynetworks, reject']) {
    const main = `${relay}${networks}smtpd_recipient_restrictions = ${recipients}\n`;
    assert.equal(valuesOf(importText(main), 'inbound-connector').length, 1, main);
  }
  const twice = `smtpd_client_restrictions = ${access}\nsmtpd_relay_restrictions = ${access}, reject\n`;
  assert.equal(valuesOf(importText(twice, tables), 'inbound-connector').length, 1);
});

test('clients that Postfix keeps out altogether are said to be let in', () => {
  for (const main of [
    'smtpd_client_restrictions = permit_mynetworks, permit_tls_clientcerts, reject\n',
    'smtpd_recipient_restrictions = permit_mynetworks, reject_rbl_client rbl.example, defer\n',
  ]) {
    const { report } = importText(main);
    const [name] = main.split(' ');
    assert.deepEqual(report.unprotected, [`mail from everybody whom ${name} does not permit`]);
    assert.match(formatReport(report), new RegExp(`${name}: NOT POSSIBLE: whoever it does not`));
  }
  const { report } = importText(
    'smtpd_relay_restrictions = permit_mynetworks, permit_auth_destination, reject\n',
  );
  assert.deepEqual(report.unprotected, []);
});

test('a certificate that every client must show cannot be said', () => {
  const imported = importText('smtpd_tls_security_level = encrypt\nsmtpd_tls_req_ccert = yes\n');
  assert.deepEqual(imported.report.unprotected, [
    'mail from everybody, who had to show a trusted certificate',
  ]);
});

test('no parameter that decides about mail is said to concern no policy', () => {
  const names =
    'lmtp_tls_security_level lmtp_tls_verify_cert_match smtp_tls_trust_anchor_file smtp_tls_wrappermode smtp_tls_servername smtp_tls_dane_insecure_mx_policy tls_server_sni_maps postscreen_tls_security_level postscreen_dnsbl_sites smtpd_sender_login_maps smtp_body_checks smtp_mime_header_checks smtpd_milter_maps fallback_transport luser_relay relocated_maps lmtp_fallback_relay';
  const { report } = importText(names.replaceAll(/ |$/g, ' = encrypt\n'));
  assert.deepEqual(
    report.lines.filter(({ line, text }) => line > 3 && text === 'concerns no policy'),
    [],
  );
  assert.deepEqual(report.unprotected, ['mail from everybody, who had to use TLS with postscreen']);
});

test('domains come from lists, files and tables, each once', () => {
  const imported = importText(
    'relay_domains = $mydestination hash:/r, .below.org\nvirtual_mailbox_domains = /etc/v\nvirtual_transport = lmtp:inet:127.0.0.1:24\n',
    {
      r: 'contoso.com x\n',
      v: 'adatum.com\n',
    },
  );
  assert.deepEqual(valuesOf(imported, 'accepted-domain'), [
    { domain: 'fabrikam.com' },
    { domain: 'adatum.com', deliveryTarget: 'LMTP 127.0.0.1:24' },
    { domain: 'contoso.com', type: 'InternalRelay', matchSubDomains: true },
    { domain: 'below.org', type: 'InternalRelay', matchSubDomains: true },
  ]);
  assert.deepEqual(valuesOf(imported, 'delivery-target'), [
    { name: 'LMTP 127.0.0.1:24', protocol: 'lmtp', address: '127.0.0.1:24' },
  ]);
});

test('certificates of both sides are named, and connectors present that of the client', () => {
  const imported = importText(
    'smtpd_tls_chain_files = /c/all.pem\nsmtp_tls_cert_file = /c/o.pem\nsmtp_tls_key_file = /c/o.key\nsmtp_tls_policy_maps = hash:/p\n',
    { p: 'a.com encrypt\n' },
  );
  assert.deepEqual(
    imported.objects
      .filter(({ kind }) => kind === 'certificate')
      .map(({ name, value, organization }) => [name, value, organization]),
    [
      ['server', { certificate: '/c/all.pem', key: '/c/all.pem' }, null],
      ['client', { certificate: '/c/o.pem', key: '/c/o.key' }, null],
    ],
  );
  assert.equal(tlsOf(imported)?.['clientCertificate'], 'client');
});
