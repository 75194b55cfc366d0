/**
 * One question to one server: UDP first, TCP where the answer is cut or where strays arrive.
 *
 * Against answers forged from elsewhere: a random id, a random source port (a new socket for each
 * question), a connected socket (the kernel drops other senders), and a question that must match.
 * @see RFC 5452 §9, RFC 7766 §5, RFC 1035 §4.2
 */
import { randomInt } from 'node:crypto';
import dgram from 'node:dgram';
import net from 'node:net';
import type { DnsMessage } from './message.ts';
import { encodeQuery, readMessage, recordTypes, responseCodes } from './message.ts';
import type { Question } from './question.ts';
import type { DnsServer } from './system-servers.ts';

/** Longest message that is taken over TCP, in bytes. */
export const messageBytesMax = 16384;

/** Datagrams that do not match before we change to TCP: somebody is guessing. */
const straysMax = 8;

/** `timeoutMs` is for the whole exchange, UDP and TCP together. */
export interface AskOptions {
  readonly server: DnsServer;
  readonly question: Question;
  readonly hasEdns: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** `sizeBytes` as received. `detail` continues the sentence "<server> …". */
export type ServerReply =
  | { readonly kind: 'message'; readonly message: DnsMessage; readonly sizeBytes: number }
  | {
      readonly kind: 'failed';
      readonly code: 'timeout' | 'network' | 'malformed' | 'closed';
      readonly detail: string;
    };

type Finish = (reply: ServerReply | 'use-tcp') => void;
type Transport = (options: AskOptions, query: Query, finish: Finish) => () => void;

interface Query {
  readonly id: number;
  readonly question: Question;
  readonly bytes: Buffer;
}

/** Never rejects; all sockets are closed when it resolves. */
export async function askServer(options: AskOptions): Promise<ServerReply> {
  const deadline = performance.now() + options.timeoutMs;
  const byUdp = await exchange(options, openUdp);
  if (byUdp !== 'use-tcp') return byUdp;
  const timeoutMs = Math.max(1, deadline - performance.now());
  const byTcp = await exchange({ ...options, timeoutMs }, openTcp);
  return byTcp === 'use-tcp' ? failed('malformed', 'sent a cut answer over TCP') : byTcp;
}

function failed(code: 'timeout' | 'network' | 'malformed' | 'closed', detail: string): ServerReply {
  return { kind: 'failed', code, detail };
}

function exchange(options: AskOptions, open: Transport): Promise<ServerReply | 'use-tcp'> {
  const { question, hasEdns, timeoutMs, signal } = options;
  const id = randomInt(0x10000);
  const query = { id, question, bytes: encodeQuery(id, question, hasEdns) };
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve(failed('closed', 'was not asked: the resolver is closed'));
      return;
    }
    let isOver = false;
    const finish: Finish = (reply) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      close();
      resolve(reply);
    };
    const onAbort = (): void => finish(failed('closed', 'was left: the resolver was closed'));
    const onTimeout = (): void => {
      finish(failed('timeout', `did not answer within ${Math.round(timeoutMs)} ms`));
    };
    const timer = setTimeout(onTimeout, timeoutMs);
    signal.addEventListener('abort', onAbort);
    const close = open(options, query, (reply) => setImmediate(finish, reply));
  });
}

function openUdp({ server }: AskOptions, query: Query, finish: Finish): () => void {
  const socket = dgram.createSocket(net.isIPv6(server.address) ? 'udp6' : 'udp4');
  let strays = 0;
  socket.on('error', (error) => finish(failed('network', describeError(error))));
  socket.on('message', (bytes) => {
    const reply = readReply(bytes, query);
    if (reply !== null) finish(reply);
    else if (++strays >= straysMax) finish('use-tcp');
  });
  const onSent = (error?: Error | null): void => {
    if (error) finish(failed('network', describeError(error)));
  };
  // Node hands a failed connect to the callback, although its type does not say so.
  socket.connect(server.port, server.address, (error?: Error) => {
    if (error) onSent(error);
    else socket.send(query.bytes, onSent);
  });
  return () => socket.close();
}

function openTcp({ server }: AskOptions, query: Query, finish: Finish): () => void {
  const socket = net.connect({ host: server.address, port: server.port });
  const length = Buffer.alloc(2);
  length.writeUInt16BE(query.bytes.length);
  let received = Buffer.alloc(0);
  socket.on('connect', () => socket.write(Buffer.concat([length, query.bytes])));
  socket.on('error', (error) => finish(failed('network', describeError(error))));
  socket.on('close', () => finish(failed('network', 'closed the TCP connection early')));
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (received.length < 2) return;
    const size = received.readUInt16BE();
    if (size > messageBytesMax) {
      finish(failed('malformed', `sent an answer of ${size} bytes`));
    } else if (received.length >= size + 2) {
      const reply = readReply(received.subarray(2, size + 2), query);
      finish(reply ?? failed('malformed', 'answered another question'));
    }
  });
  return () => socket.destroy();
}

/** Null where this is no answer to the query: on UDP to be passed over, on TCP a fault. */
function readReply(bytes: Buffer, query: Query): ServerReply | 'use-tcp' | null {
  if (bytes.length < 12 || bytes.readUInt16BE() !== query.id) return null;
  const message = readMessage(bytes);
  if (message === null) return failed('malformed', 'sent an answer that cannot be read');
  if (!message.isResponse || !isAbout(message, query.question)) return null;
  if (message.isTruncated) return 'use-tcp';
  return { kind: 'message', message, sizeBytes: bytes.length };
}

/** An error may leave the question out: a server that understood nothing has none to repeat. */
function isAbout(message: DnsMessage, { name, type }: Question): boolean {
  const [question] = message.questions;
  if (question === undefined) {
    const { noError, nxDomain } = responseCodes;
    return message.responseCode !== noError && message.responseCode !== nxDomain;
  }
  const isSame = question.name === name && question.type === recordTypes[type];
  return message.questions.length === 1 && isSame;
}

function describeError(error: Error): string {
  const code = 'code' in error ? String(error.code) : error.message;
  return `could not be reached (${code})`;
}
