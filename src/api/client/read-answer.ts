/** Answers of the gateway: read within bounds, and turned into what was asked for or a Failure. */
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { Failure } from '../../mail/failure.ts';
import { problemSchema } from '../contract.ts';

const answerBytesMax = 64 * 1024 * 1024;

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Of Retry-After; null where it says none that is a number of seconds. */
  readonly retryAfterSeconds: number | null;
}

export type Write = (part: Buffer) => Promise<void>;

/** With `write` a good answer is handed over as it comes, and `text` is empty. */
export async function readAnswer(incoming: IncomingMessage, write: Write | null): Promise<Answer> {
  const { statusCode: status = 0 } = incoming;
  const wait = incoming.headers['retry-after'] ?? '';
  const retryAfterSeconds = /^\d{1,5}$/.test(wait) ? Number(wait) : null;
  if (write !== null && status < 400) {
    for await (const chunk of incoming as AsyncIterable<Buffer>) await write(chunk);
    return { status, text: '', retryAfterSeconds };
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > answerBytesMax) {
      const message = `the gateway's answer is larger than ${answerBytesMax} bytes`;
      throw new Failure('gateway-answer-unreadable', message);
    }
    chunks.push(chunk);
  }
  return { status, text: Buffer.concat(chunks).toString('utf8'), retryAfterSeconds };
}

/** Throws the Failure that the gateway answered with, or `gateway-answer-unreadable`. */
export function understand<View>(answer: Answer, path: string, schema: z.ZodType<View>): View {
  refuseFailed(answer);
  const view = schema.safeParse(answer.status === 204 ? null : parseJson(answer.text));
  if (view.success) return view.data;
  const issue = view.error.issues[0];
  const where = `${path}: ${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? ''}`;
  throw new Failure(
    'gateway-answer-unreadable',
    `the gateway's answer is not understood: ${where}`,
  );
}

/** Throws where the gateway answered with a problem. */
export function refuseFailed({ status, text }: Pick<Answer, 'status' | 'text'>): void {
  if (status < 400) return;
  const problem = problemSchema.safeParse(parseJson(text));
  if (!problem.success) {
    const message = `the gateway answered ${status} without saying why`;
    throw new Failure('gateway-answer-unreadable', message);
  }
  const { code, detail } = problem.data;
  throw new Failure(code, detail, { wireText: detail, cause: problem.data });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = "the gateway's answer is not JSON";
    throw new Failure('gateway-answer-unreadable', message, { cause: error });
  }
}
