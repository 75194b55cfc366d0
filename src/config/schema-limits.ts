/** The part of the schema with numbers: bounds and timeouts, each with its unit. */
import { fieldOr, section } from './field.ts';
import { duration, integer, size } from './readers.ts';

/** Every bound is for the whole gateway unless it says otherwise; lanes share it. */
export const limitsSection = section({
  sessionsMax: fieldOr(
    integer(1, 100_000, ' sessions'),
    1000,
    'Inbound sessions at once, for each listener; beyond it new ones are answered 421. A session has at most one handshake and one transaction, so this bounds them too.',
  ),
  sessionsPerAddressMax: fieldOr(
    integer(1, 100_000, ' sessions'),
    50,
    'Inbound sessions at once from one address (IPv6: from one /64), for each listener of each lane.',
  ),
  sessionsPerAddressPerMinute: fieldOr(
    integer(1, 10_000_000, ' sessions a minute'),
    1200,
    'New sessions from one address (IPv6: from one /64), for each lane; further ones are answered 421.',
  ),
  handshakesPerAddressPerMinute: fieldOr(
    integer(1, 10_000_000, ' handshakes a minute'),
    600,
    'TLS handshakes with one address, failed ones included, for each lane; at a further one the session ends with 421, so that nobody goes on in clear because of it.',
  ),
  authFailuresPerAddressPerHour: fieldOr(
    integer(1, 1_000_000, ' failures an hour'),
    100,
    'Wrong passwords from one address, whatever the account, for each lane; then AUTH is answered 421 for a while.',
  ),
  contentBytesPerSecondMin: fieldOr(
    integer(0, 1_000_000, ' bytes per second'),
    500,
    'How fast a message has to come once we waited 30 s for it; a slower session ends with 421. Only the time that we wait for the client counts. 0: any speed.',
  ),
  recipientsMax: fieldOr(
    integer(100, 10_000, ' recipients'),
    1000,
    'Recipients of one message; more are answered 452. See RFC 5321 §4.5.3.1.8.',
  ),
  messagesPerAccountPerHour: fieldOr(
    integer(0, 10_000_000, ' messages'),
    1800,
    'Messages of one signed-in account within an hour, all of which may come at once; more are answered 450 4.7.1 until there is room again. 0 is no limit. Each lane takes its share.',
  ),
  recipientsPerAccountPerHour: fieldOr(
    integer(0, 10_000_000, ' recipients'),
    2000,
    'Recipients of one signed-in account within an hour, as above.',
  ),
  messagesPerSenderPerHour: fieldOr(
    integer(0, 10_000_000, ' messages'),
    0,
    "Messages of one MAIL FROM address to one organization within an hour on MX listeners, as above; for the null reverse-path of one client's address. Anybody can write any address there: a limit lets a stranger use up somebody else's.",
  ),
  recipientsPerSenderPerHour: fieldOr(
    integer(0, 10_000_000, ' recipients'),
    0,
    'Recipients of one MAIL FROM address in one organization within an hour on MX listeners, as above.',
  ),
  messagesPerOrganizationPerMinute: fieldOr(
    integer(0, 10_000_000, ' messages'),
    0,
    'Messages to and from one organization within a minute, by SMTP, as above.',
  ),
  messageSize: fieldOr(
    size('64KiB', '1GiB'),
    '50MB',
    'The largest message that is taken, announced by SIZE.',
  ),
  contentLine: fieldOr(
    size('1000', '1MiB'),
    '64KiB',
    'The longest line of a message that is taken, with its CRLF; a longer one is answered 550 5.6.0. RFC 5321 §4.5.3.1.6 asks for 1000 octets at least, and much mail is longer.',
  ),
  memoryContent: fieldOr(
    size('4KiB', '16MiB'),
    '256KiB',
    'Messages up to this size stay in memory until they are stored; larger ones stream to a file.',
  ),
  bodiesInFlight: fieldOr(
    size('1MiB', '64GiB'),
    '128MiB',
    'Memory for messages being received; beyond it sockets are not read for a while.',
  ),
  freshBodies: fieldOr(
    size('0', '64GiB'),
    '128MiB',
    'Memory for messages that were just accepted and are delivered without reading them again.',
  ),
  connectionsMax: fieldOr(
    integer(1, 100_000, ' connections'),
    500,
    'Outgoing connections at once, idle ones included.',
  ),
  connectionsPerDestination: fieldOr(
    integer(1, 1000, ' connections'),
    5,
    'Outgoing connections at once to one destination.',
  ),
  deliveriesMax: fieldOr(integer(1, 100_000, ' deliveries'), 200, 'Deliveries under way at once.'),
  storeQueueRecords: fieldOr(
    integer(1, 1_000_000, ' records'),
    50_000,
    'Records that wait for the disk; beyond it sockets are not read, then mail is answered 4xx.',
  ),
  storeQueue: fieldOr(
    size('1MiB', '64GiB'),
    '128MiB',
    'Bytes that wait for the disk; beyond it as above.',
  ),
  freeDisk: fieldOr(
    size('0', '1TiB'),
    '128MiB',
    'Space left on the disk of the data folder below which new mail is answered 452. It is kept for what is queued already: without room not even a delivered message can be struck off.',
  ),
}).prefault({});

/** As a pair of sections: what we wait for as server, and as client. */
export const timeoutsSection = section({
  server: section({
    greetingDelay: fieldOr(
      duration('0', '30s'),
      '500ms',
      'How long a client of an `mx` listener has to stay silent before it is greeted; one that speaks is answered 554. Addresses that sent an accepted message in the last day do not wait. 0: looks once.',
    ),
    proxyHeader: fieldOr(
      duration('100ms', '1m'),
      '5s',
      'Waiting for the PROXY header of a load balancer.',
    ),
    command: fieldOr(duration('1s', '1h'), '5m', 'Waiting for the next command.'),
    data: fieldOr(duration('1s', '1h'), '5m', 'Waiting for the next bytes of a message.'),
    handshake: fieldOr(duration('1s', '10m'), '30s', 'A whole TLS handshake.'),
    session: fieldOr(
      duration('1m', '24h'),
      '1h',
      'A whole session; it ends with 421 after the transaction under way.',
    ),
  })
    .prefault({})
    .meta({ description: 'As server: mail that comes in.' }),
  client: section({
    connect: fieldOr(duration('1s', '10m'), '30s', 'Opening a connection to one address.'),
    greeting: fieldOr(duration('1s', '1h'), '5m', 'Waiting for the greeting.'),
    command: fieldOr(
      duration('1s', '1h'),
      '5m',
      'Waiting for the reply to EHLO, STARTTLS, MAIL, RCPT and RSET.',
    ),
    handshake: fieldOr(duration('1s', '10m'), '1m', 'A whole TLS handshake.'),
    dataInitiation: fieldOr(duration('1s', '1h'), '2m', 'Waiting for the 354 after DATA.'),
    dataBlock: fieldOr(duration('1s', '1h'), '3m', 'Waiting until sent bytes are taken.'),
    dataTermination: fieldOr(
      duration('1s', '1h'),
      '10m',
      'Waiting for the reply after the final dot. Too short a wait delivers messages twice.',
    ),
    transaction: fieldOr(
      duration('1m', '24h'),
      '1h',
      'A whole transaction, however busy the peer seems; then what is unanswered is deferred.',
    ),
    idle: fieldOr(
      duration('0', '10m'),
      '10s',
      'How long an unused connection is kept for more mail.',
    ),
  })
    .prefault({})
    .meta({ description: 'As client: mail that goes out.' }),
});
