/** The client's question what would become of a message. */
import type { ExplainAnswer, ExplainQuestion } from '../contract.ts';
import { explainAnswerSchema } from '../contract.ts';
import type { Caller } from './caller.ts';

export interface ExplainClient {
  explain(question: ExplainQuestion): Promise<ExplainAnswer>;
}

export function explainClient({ ask }: Caller): ExplainClient {
  return {
    explain: (question) =>
      ask({ method: 'POST', path: '/v1/explain', body: question }, explainAnswerSchema),
  };
}
