/** The client's calls that hand messages in. */
import type { Submission, Submitted } from '../contract.ts';
import { submittedSchema } from '../contract.ts';
import type { Caller } from './caller.ts';

export interface MessagesClient {
  submit(message: Submission): Promise<Submitted>;
}

export function messagesClient({ ask }: Caller): MessagesClient {
  return {
    submit: (message) =>
      ask({ method: 'POST', path: '/v1/messages', body: message }, submittedSchema),
  };
}
