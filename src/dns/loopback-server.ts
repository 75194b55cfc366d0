/**
 * A DNS server on loopback that serves a fake zone over UDP and TCP, with any vice that a test or a
 * rehearsal wants. For the conformance suite, and for a whole gateway that must not ask real DNS.
 */
import dgram from 'node:dgram';
import net from 'node:net';
import { AUTHENTIC_DATA, RECURSION_AVAILABLE, TRUNCATED_RESPONSE } from 'dns-packet';
import { decode, encode } from 'dns-packet';
import type { Answer, Packet } from 'dns-packet';
import { answerFromZone, recordsOf } from './fake-zone.ts';
import type { FakeZone } from './fake-zone.ts';
import type { Question, QuestionType } from './question.ts';
import { aliasHopsMax } from './question.ts';

export interface LoopbackQuery extends Question {
  readonly id: number;
  readonly transport: 'udp' | 'tcp';
  readonly hasEdns: boolean;
  readonly bytes: Buffer;
}

/** The messages to send, in order, without TCP's length; none is silence. */
export type Respond = (query: LoopbackQuery, honest: Packet) => readonly (Packet | Buffer)[];

/** `respond` replaces the honest answer of a query that the zone can answer. */
export interface LoopbackServerOptions {
  readonly address?: '127.0.0.1' | '::1';
  readonly respond?: Respond;
}

/** `port` is the same for UDP and TCP. `queries` holds all that came, oldest first. */
export interface LoopbackServer {
  readonly address: string;
  readonly port: number;
  readonly queries: readonly LoopbackQuery[];
  close(): Promise<void>;
}

/** Listens on an ephemeral port. The zone stays live: changes count at the next query. */
export async function startLoopbackServer(
  zone: FakeZone,
  options: LoopbackServerOptions = {},
): Promise<LoopbackServer> {
  const address = options.address ?? '127.0.0.1';
  const queries: LoopbackQuery[] = [];
  const timers = new Set<NodeJS.Timeout>();
  const connections = new Set<net.Socket>();
  const respond = options.respond ?? ((_query, honest) => [honest]);

  const answer = (query: LoopbackQuery, send: (bytes: Buffer) => void): void => {
    queries.push(query);
    const delayMs = zone.get(query.name)?.delayMs ?? 0;
    const timer = setTimeout(() => {
      timers.delete(timer);
      for (const message of respondFrom(zone, query, respond)) send(message);
    }, delayMs);
    timers.add(timer);
  };
  const udp = dgram.createSocket(address === '::1' ? 'udp6' : 'udp4', (bytes, from) => {
    const query = readQuery(bytes, 'udp');
    if (query !== null) answer(query, (reply) => udp.send(reply, from.port, from.address));
  });
  // A client that has gone answers with ICMP; that is no fault of this server.
  udp.on('error', () => undefined);
  const tcp = net.createServer((socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    socket.on('error', () => socket.destroy());
    serveTcp(socket, answer);
  });
  const port = await listenOnBoth(udp, tcp, address);
  const close = async (): Promise<void> => {
    for (const timer of timers) clearTimeout(timer);
    for (const socket of connections) socket.destroy();
    await new Promise<void>((resolve) => udp.close(() => resolve()));
    await new Promise<void>((resolve) => tcp.close(() => resolve()));
  };
  return { address, port, queries, close };
}

type AnswerQuery = (query: LoopbackQuery, send: (bytes: Buffer) => void) => void;

function serveTcp(socket: net.Socket, answer: AnswerQuery): void {
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (received.length < 2 || received.length < received.readUInt16BE() + 2) return;
    const query = readQuery(received.subarray(2, received.readUInt16BE() + 2), 'tcp');
    received = Buffer.alloc(0);
    if (query === null) return;
    answer(query, (reply) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(reply.length);
      socket.write(Buffer.concat([length, reply]));
    });
  });
}

/** UDP takes a free port and TCP follows; where another has it, both try again. */
async function listenOnBoth(udp: dgram.Socket, tcp: net.Server, address: string): Promise<number> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const port = await new Promise<number | null>((resolve) => {
      tcp.once('error', () => resolve(null));
      tcp.listen(0, address, () => resolve((tcp.address() as net.AddressInfo).port));
    });
    if (port === null) continue;
    const isBound = await new Promise<boolean>((resolve) => {
      udp.once('error', () => resolve(false));
      udp.bind(port, address, () => resolve(true));
    });
    if (isBound) return port;
    await new Promise<void>((resolve) => tcp.close(() => resolve()));
  }
  throw new Error(`no port of ${address} is free for both UDP and TCP`);
}

function readQuery(bytes: Buffer, transport: 'udp' | 'tcp'): LoopbackQuery | null {
  const packet = decode(bytes);
  const question = packet.questions?.[0];
  if (question === undefined) return null;
  const hasEdns = (packet.additionals ?? []).some((record) => record.type === 'OPT');
  const type = question.type as QuestionType;
  return { id: packet.id ?? 0, name: question.name, type, transport, hasEdns, bytes };
}

function respondFrom(zone: FakeZone, query: LoopbackQuery, respond: Respond): readonly Buffer[] {
  const honest = answerPacket(zone, query);
  if (honest === null) return [];
  const messages = respond(query, honest);
  return messages.map((message) => (Buffer.isBuffer(message) ? message : fit(message, query)));
}

/** An answer that is too long for a datagram goes empty, with TC set. */
function fit(packet: Packet, query: LoopbackQuery): Buffer {
  const bytes = encode(packet);
  if (query.transport === 'tcp' || bytes.length <= (query.hasEdns ? 1232 : 512)) return bytes;
  const flags = (packet.flags ?? 0) | TRUNCATED_RESPONSE;
  return encode({ ...packet, flags, answers: [], authorities: [] });
}

const responseCodes: Readonly<Record<string, number>> = {
  found: 0,
  'no-data': 0,
  'no-such-domain': 3,
  failed: 2,
};

/** What a well-behaved resolver would say; null for a programmed timeout. */
function answerPacket(zone: FakeZone, query: LoopbackQuery): Packet | null {
  const answer = answerFromZone(zone, query.type, query.name);
  const isFailed = answer.kind === 'failed';
  if (isFailed && answer.code === 'timeout') return null;
  const code = isFailed && answer.code === 'refused' ? 5 : responseCodes[answer.kind]!;
  const authentic = !isFailed && answer.isAuthentic ? AUTHENTIC_DATA : 0;
  const { id, name, type } = query;
  return {
    id,
    type: 'response',
    flags: RECURSION_AVAILABLE | authentic | code,
    questions: [{ name, type, class: 'IN' }],
    answers: isFailed ? [] : chainOf(zone, query),
    authorities: answer.kind === 'found' || isFailed ? [] : [startOfAuthority(zone, name)],
  };
}

function chainOf(zone: FakeZone, { name, type }: Question): Answer[] {
  const answers: Answer[] = [];
  let owner = name;
  for (let hops = 0; hops <= aliasHopsMax; hops++) {
    const entry = zone.get(owner);
    const ttl = entry?.ttlSeconds ?? 300;
    if (entry?.cname === undefined) {
      const records = entry === undefined ? [] : recordsOf(entry, type);
      return [...answers, ...records.map((data) => toAnswer(type, { owner, ttl, data }))];
    }
    answers.push({ type: 'CNAME', name: owner, ttl, data: entry.cname });
    owner = entry.cname;
  }
  return answers;
}

function toAnswer(
  type: QuestionType,
  { owner, ttl, data }: { owner: string; ttl: number; data: unknown },
): Answer {
  if (type === 'TLSA') {
    const { data: hex, ...rest } = data as { data: string; usage: number; selector: number };
    const certificate = Buffer.from(hex, 'hex');
    return { type, name: owner, ttl, data: { ...rest, certificate } } as Answer;
  }
  const whole = type === 'TXT' ? ((data as string).match(/[^]{1,200}/g) ?? ['']) : data;
  return { type, name: owner, ttl, data: whole } as Answer;
}

function startOfAuthority(zone: FakeZone, name: string): Answer {
  const minimum = zone.get(name)?.ttlSeconds ?? 300;
  const data = { mname: 'ns.test', rname: 'hostmaster.test', serial: 1, minimum };
  return { type: 'SOA', name: name.slice(name.indexOf('.') + 1), ttl: minimum, data };
}
