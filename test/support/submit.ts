/** Hands a message to the gateway's submission port as an account, by nodemailer; gives the queue id. */
import { createTransport } from 'nodemailer';
import type { RunningGateway } from './gateway.ts';
import { userPassword } from './gateway-config.ts';

export interface TestMail {
  readonly to: string | readonly string[];
  readonly subject?: string;
  readonly text?: string;
  /** The whole message, instead of subject and text. */
  readonly raw?: string | Buffer;
  readonly messageId?: string;
}

/** The queue id in `250 … accepted as ID`. Throws where the text has none. */
export function queueIdIn(text: string): string {
  const id = /accepted as ([0-9A-Z]{12})/.exec(text)?.[1];
  if (id === undefined) throw new Error(`no queue id in ${JSON.stringify(text)}`);
  return id;
}

/** The id at the end of a refusal. Throws where the text has none. */
export function refusalIdIn(text: string): string {
  const id = /\[([0-9A-Z]{12})\]/.exec(text)?.[1];
  if (id === undefined) throw new Error(`no id in ${JSON.stringify(text)}`);
  return id;
}

/** Resolves with the queue id once the gateway has accepted it. */
export async function submit(gateway: RunningGateway, mail: TestMail): Promise<string> {
  const transport = createTransport({
    host: '127.0.0.1',
    port: gateway.port('submission'),
    requireTLS: true,
    auth: { user: 'user', pass: userPassword },
    tls: { rejectUnauthorized: false },
    socketTimeout: 30_000,
  });
  try {
    const to = typeof mail.to === 'string' ? [mail.to] : [...mail.to];
    const content =
      mail.raw === undefined
        ? {
            from: 'user@example.test',
            to,
            subject: mail.subject ?? 'A test',
            text: mail.text ?? 'Some text.',
            ...(mail.messageId === undefined ? {} : { messageId: mail.messageId }),
          }
        : { raw: mail.raw };
    const envelope = { from: 'user@example.test', to };
    const { response } = await transport.sendMail({ ...content, envelope });
    return queueIdIn(response);
  } finally {
    transport.close();
  }
}
