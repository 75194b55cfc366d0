/** The part of the schema about recipients: the servers that keep them, aliases, delay notices. */
import type { z } from 'zod';
import { field, fieldOr, fieldOrNull, oneOrMore, oneOrMoreOrNone, section } from './field.ts';
import { anchors, certificateName, mailAddress, pin } from './mail-readers.ts';
import { choice, text } from './readers.ts';
import { durationOrNever, targetAddress } from './recipient-readers.ts';
import { minVersion, tlsSettings } from './tls-readers.ts';

export const deliveryTargetSection = section({
  name: field(text(64, 'a name'), 'Unique among the delivery targets, at most 64 characters.'),
  protocol: field(
    choice(['lmtp', 'smtp']),
    '`lmtp` for servers that keep mailboxes (Dovecot, Cyrus), `smtp` for mail servers (Exchange).',
  ),
  address: field(
    targetAddress(),
    '`unix:/run/dovecot/lmtp`, or a host: a name, an address, `host:port`, `[IPv6]:port`. Without a port 24 for `lmtp`, 25 for `smtp`.',
  ),
  tlsSettings: fieldOrNull(
    tlsSettings,
    'Opportunistic on a Unix socket and on loopback, EncryptionOnly elsewhere',
    'What TLS must be, in the words of outbound connectors. `Opportunistic` to another machine needs a `clearTextReason`.',
  ),
  tlsDomain: oneOrMoreOrNone(
    certificateName(),
    "Names one of which the server's certificate must carry; only with `DomainValidation`.",
  ),
  pins: oneOrMoreOrNone(
    pin(),
    'Keys one of which the certificate must have. With `Pinned` they decide alone; with the two validations they are demanded besides.',
  ),
  anchors: fieldOr(
    anchors(),
    'bundled',
    'The CAs that are trusted for this server; a file holds PEM certificates.',
  ),
  minVersion: fieldOr(minVersion, 'TLSv1.2', 'The oldest TLS version.'),
  clientCertificate: fieldOrNull(
    text(64, 'the name of an entry of certificates'),
    'none',
    'The certificate that we present to the server.',
  ),
  clearTextReason: fieldOrNull(
    text(256, 'a reason in words'),
    'mail crosses no network in clear',
    'Why mail may go to another machine in clear, for whoever asks later.',
  ),
});

export const aliasSection = section({
  address: field(mailAddress(), 'An address in an accepted domain that is no mailbox.'),
  to: oneOrMore(
    mailAddress(),
    'Where its mail goes: mailboxes, other aliases, or addresses elsewhere. Mail that came encrypted leaves encrypted.',
  ),
});

export const delayNoticesSection = section({
  tls: fieldOr(
    durationOrNever('1m', '7d'),
    '5m',
    'How long after its arrival the sender of mail that waits because of TLS is told so.',
  ),
  ordinary: fieldOr(
    durationOrNever('1m', '7d'),
    '4h',
    'The same for mail that waits for any other reason.',
  ),
});

export type ParsedDeliveryTarget = z.output<typeof deliveryTargetSection>;
export type ParsedAlias = z.output<typeof aliasSection>;
