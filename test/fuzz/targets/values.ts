/** Single values: addresses, domains, names from peers, numbers with units, ranges, hashes, ids. */
import assert from 'node:assert/strict';
import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import * as fc from 'fast-check';
import { formatDuration, parseDuration } from '../../../src/config/duration.ts';
import { addressRange, pin, smartHost } from '../../../src/config/mail-readers.ts';
import { formatSize, parseSize } from '../../../src/config/size.ts';
import { parseAddressName } from '../../../src/dns/special-names.ts';
import { parseResolvConf } from '../../../src/dns/system-servers.ts';
import { makeDecoyHash } from '../../../src/identity/password-hash.ts';
import { formatAddress, formatPath, parseAddress } from '../../../src/mail/address.ts';
import {
  formatDomainPattern,
  matchesDomainPattern,
  parseDomainPattern,
} from '../../../src/mail/domain-pattern.ts';
import { parseDomain } from '../../../src/mail/domain.ts';
import { formatEnhancedStatus, parseEnhancedStatus } from '../../../src/mail/enhanced-status.ts';
import { peerTextLengthMax, sanitizePeerText } from '../../../src/mail/peer-text.ts';
import { formatQueueId, parseQueueId } from '../../../src/mail/queue-id.ts';
import { isInRanges } from '../../../src/policy/ip-match.ts';
import { hostName, joined, mailAddress, utf8, word } from '../arbitraries.ts';
import type { FuzzTarget } from '../target.ts';

const address: FuzzTarget = {
  name: 'address',
  files: ['src/mail/address.ts'],
  structured: utf8(mailAddress),
  tokens: ['@', '"', '\\', '.', '[', ']', 'IPv6:', '\r\n', '\0', '<', '>', 'a', ' ', '\xfc'],
  sizeBytesMax: 700,
  parse: (input) => parseAddress(input.toString()),
  check(input) {
    const text = input.toString();
    const parsed = parseAddress(text);
    if (parsed === null) return 'none';
    const written = formatAddress(parsed);
    assert.deepEqual(parseAddress(written), parsed, 'is read back as it was written');
    assert.match(written, /^[\x20-\x7e]{3,400}$/, 'is printable ASCII');
    assert.ok(formatPath(parsed).length <= 2 + written.length);
    assert.equal(
      parsed.domain.startsWith('[') || parseDomain(parsed.domain) === parsed.domain,
      true,
    );
    const isQuoted = written.startsWith('"');
    return `${isQuoted ? 'quoted' : 'atom'} ${parsed.domain.startsWith('[') ? 'literal' : 'name'}`;
  },
};

const domain: FuzzTarget = {
  name: 'domain',
  files: ['src/mail/domain.ts', 'src/mail/domain-pattern.ts'],
  structured: utf8(fc.oneof(hostName, joined('*.', hostName), joined(hostName, '.'))),
  tokens: ['.', '*', '*.', '-', 'xn--', '_', '\u00df', '\u3002', '%2e', '/', '@', '\u00ad', '\0'],
  sizeBytesMax: 600,
  parse: (input) => parseDomainPattern(input.toString()),
  check(input) {
    const text = input.toString();
    const name = parseDomain(text);
    if (name !== null) {
      assert.equal(parseDomain(name), name, 'a domain is canonical once parsed');
      assert.match(name, /^[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?$/);
      // The same platform table by another door; it has no word for labels of odd punctuation.
      const theirs = domainToASCII(text.replace(/\.$/, ''));
      if (theirs !== '' && /^xn--|\.xn--/.test(name)) assert.equal(theirs, name, 'node agrees');
    }
    const pattern = parseDomainPattern(text);
    if (pattern === null) return name === null ? 'none' : assert.fail('a domain is a pattern');
    assert.deepEqual(parseDomainPattern(formatDomainPattern(pattern)), pattern);
    assert.ok(matchesDomainPattern(pattern, pattern.kind === 'any' ? 'a.test' : pattern.domain));
    if (pattern.kind === 'any') return 'any';
    assert.ok(!matchesDomainPattern(pattern, `evil${pattern.domain}`), 'a suffix is no subdomain');
    return `${pattern.kind} ${pattern.domain.includes('xn--') ? 'idn' : 'ascii'}`;
  },
};

const peerText: FuzzTarget = {
  name: 'peer-text',
  files: ['src/mail/peer-text.ts'],
  structured: utf8(fc.string({ unit: 'binary', maxLength: 900 })),
  tokens: ['\x1b[31m', '\u202e', '\r\n', '\0', '\u200b', '\ud83d', '\ufeff', '\u2028', '\u{e0041}'],
  sizeBytesMax: 6000,
  parse: (input) => sanitizePeerText(input.toString('utf8')),
  check(input) {
    // UTF-16 too: lone surrogates do not survive UTF-8.
    for (const text of [input.toString('utf8'), input.toString('utf16le')]) {
      const clean = sanitizePeerText(text);
      assert.ok(clean.length <= peerTextLengthMax);
      assert.equal(sanitizePeerText(clean), clean, 'is clean once cleaned');
      assert.doesNotMatch(clean, /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]/u);
    }
    return input.toString('utf8') === sanitizePeerText(input.toString('utf8'))
      ? 'clean'
      : 'cleaned';
  },
};

const identifiers: FuzzTarget = {
  name: 'identifiers',
  files: ['src/mail/queue-id.ts', 'src/mail/enhanced-status.ts'],
  structured: utf8(
    fc.oneof(
      word('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 12),
      word('0123456789abcdefghjkmnpqrstvwxyzILOU', 13),
      joined(
        fc.constantFrom('2', '4', '5', '9'),
        '.',
        word('0123456789', 4),
        '.',
        word('0123456789', 3),
      ),
    ),
  ),
  tokens: ['.', '0', 'Z', '7ZZZZZZZZZZ0', '8000000000000', '\u0130', '\u212a', '\0', ' ', '5.7.1'],
  sizeBytesMax: 64,
  parse: (input) => parseQueueId(input.toString()),
  check(input) {
    const text = input.toString();
    const id = parseQueueId(text);
    if (id !== null) {
      assert.equal(formatQueueId(id), text.toUpperCase(), 'an id is read back');
      assert.ok(Number.isSafeInteger(id.key) && id.shard >= 0 && id.shard < 32);
    }
    const status = parseEnhancedStatus(text);
    if (status !== null) {
      assert.deepEqual(parseEnhancedStatus(formatEnhancedStatus(status)), status);
      assert.ok(status.subject <= 999 && status.detail <= 999);
    }
    return `${id === null ? 'no id' : 'id'} ${status === null ? 'no status' : String(status.class)}`;
  },
};

const quantities: FuzzTarget = {
  name: 'quantities',
  files: ['src/config/duration.ts', 'src/config/size.ts'],
  structured: utf8(
    fc.oneof(
      fc.nat({ max: Number.MAX_SAFE_INTEGER }).map(formatDuration),
      fc.nat({ max: Number.MAX_SAFE_INTEGER }).map(formatSize),
      joined(
        word('0123456789', 18),
        fc.constantFrom('', ' '),
        fc.constantFrom('MB', 'KiB', 'ms', 'h'),
      ),
    ),
  ),
  tokens: ['d', 'h', 'm', 's', 'ms', 'KB', 'kB', 'MiB', 'TiB', ' ', '-', '1e9', '\u0661', '0', '9'],
  sizeBytesMax: 200,
  parse: (input) => [parseDuration(input.toString()), parseSize(input.toString())],
  check(input) {
    const text = input.toString();
    const durationMs = parseDuration(text);
    if (durationMs !== null) {
      assert.ok(Number.isSafeInteger(durationMs) && durationMs >= 0);
      assert.equal(parseDuration(formatDuration(durationMs)), durationMs);
    }
    const bytes = parseSize(text);
    if (bytes !== null) {
      assert.ok(Number.isSafeInteger(bytes) && bytes >= 0);
      assert.equal(parseSize(formatSize(bytes)), bytes);
    }
    return `${durationMs === null ? 'no' : 'a'} duration, ${bytes === null ? 'no' : 'a'} size`;
  },
};

const rangeReader = addressRange();
const smartHostReader = smartHost();
const pinReader = pin();

const ranges: FuzzTarget = {
  name: 'ip-ranges',
  files: ['src/config/mail-readers.ts', 'src/policy/ip-match.ts', 'src/dns/special-names.ts'],
  structured: utf8(
    fc.oneof(
      joined(fc.ipV4(), '/', fc.nat({ max: 40 }).map(String)),
      joined(fc.ipV6(), '/', fc.nat({ max: 140 }).map(String)),
      fc.ipV4Extended(),
      joined('::ffff:', fc.ipV4(), '/', fc.nat({ max: 130 }).map(String)),
      joined('[', fc.ipV6(), ']:', fc.nat({ max: 70000 }).map(String)),
      joined(hostName, ':', fc.nat({ max: 70000 }).map(String)),
    ),
  ),
  tokens: [
    '/',
    ':',
    '::',
    '.',
    '[',
    ']',
    '0x7f',
    '010',
    '%eth0',
    '::ffff:',
    'IPv6:',
    '32',
    '128',
    ' ',
  ],
  sizeBytesMax: 300,
  parse: (input) => [rangeReader.read(input.toString()), smartHostReader.read(input.toString())],
  check(input) {
    const text = input.toString();
    const name = parseAddressName(text);
    if (name !== null) assert.equal(isIP(name.address), name.family);
    const host = smartHostReader.read(text);
    const pinned = pinReader.read(text);
    if ('value' in pinned) assert.equal(Buffer.from(pinned.value, 'base64').length, 32);
    if ('value' in host) {
      assert.ok(host.value.port > 0 && host.value.port < 65_536);
      assert.ok(isIP(host.value.host) !== 0 || parseDomain(host.value.host) === host.value.host);
    } else assert.ok(host.wrong.length < 400);
    const range = rangeReader.read(text);
    if (!('value' in range)) return `no range${name === null ? '' : ', an address'}`;
    checkRange(range.value);
    return `range of ${range.value.includes(':') ? 'IPv6' : 'IPv4'}`;
  },
};

/** Canonical, and node:net's list of ranges says the same of addresses in and around it. */
function checkRange(cidr: string): void {
  assert.deepEqual(rangeReader.read(cidr), { value: cidr }, 'a range is canonical once read');
  const [base, bits] = cidr.split('/') as [string, string];
  const family = base.includes(':') ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(base, Number(bits), family);
  const others =
    family === 'ipv4' ? ['0.0.0.0', '10.255.0.1', '255.255.255.255'] : ['::1', 'ff02::1'];
  for (const probe of [base, ...others]) {
    assert.equal(isInRanges(probe, [cidr]), list.check(probe, family), `${probe} in ${cidr}`);
  }
}

const phc: FuzzTarget = {
  name: 'password-hash',
  files: ['src/identity/password-hash.ts'],
  structured: utf8(
    joined(
      '$argon2id$v=19$m=',
      fc.nat({ max: 300_000 }).map(String),
      ',t=',
      fc.nat({ max: 12 }).map(String),
      ',p=',
      fc.nat({ max: 6 }).map(String),
      '$',
      word('abcXYZ09+/', 90),
      '$',
      word('abcXYZ09+/', 90),
    ),
  ),
  tokens: [
    '$',
    ',',
    '=',
    'm=',
    't=',
    'p=',
    'argon2id',
    'argon2i',
    'v=19',
    'v=16',
    '\n',
    '00',
    '9999999',
  ],
  sizeBytesMax: 400,
  parse: (input) => makeDecoyHash(input.toString()),
  check(input) {
    // A decoy costs what the hash costs that it is made like, so it shows how that was read.
    const decoy = makeDecoyHash(input.toString());
    const [memory, passes, lanes] = costOf(decoy);
    assert.ok(
      memory >= 8 * lanes && memory * passes <= 262_144 && memory <= 65_536,
      'bounded cost',
    );
    assert.ok(passes >= 1 && lanes >= 1 && lanes <= 4);
    assert.deepEqual(costOf(makeDecoyHash(decoy)), [memory, passes, lanes]);
    return memory === 19_456 ? 'default' : `cost of ${passes} passes in ${lanes} lanes`;
  },
};

function costOf(hash: string): [memory: number, passes: number, lanes: number] {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$[^$]+\$[^$]+$/.exec(hash);
  assert.ok(match !== null, 'a hash in PHC form');
  return [Number(match[1]), Number(match[2]), Number(match[3])];
}

const resolvers: FuzzTarget = {
  name: 'name-servers',
  files: ['src/dns/system-servers.ts'],
  structured: utf8(
    fc
      .array(
        fc.oneof(
          joined('nameserver ', fc.oneof(fc.ipV4(), fc.ipV6(), joined(fc.ipV6(), '%eth0'))),
          joined('search ', hostName),
          joined('[', fc.ipV6(), ']:', fc.nat({ max: 70_000 }).map(String)),
          fc.string(),
        ),
        { maxLength: 8 },
      )
      .map((lines) => lines.join('\n')),
  ),
  tokens: ['nameserver ', '\n', '\t', '#', ';', '127.0.0.1', '::1', '%', ':53', '[', ']', '\r\n'],
  sizeBytesMax: 2000,
  parse: (input) => parseResolvConf(input.toString()),
  check(input) {
    const text = input.toString();
    const servers = parseResolvConf(text);
    assert.ok(servers.length <= 3);
    for (const { address: ip } of servers) assert.notEqual(isIP(ip), 0);
    return `${servers.length} servers`;
  },
};

export const valueTargets: readonly FuzzTarget[] = [
  address,
  domain,
  peerText,
  identifiers,
  quantities,
  ranges,
  phc,
  resolvers,
];
