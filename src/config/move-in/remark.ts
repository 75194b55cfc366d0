/** What is to be said about one part of something that is moved in. */

/** `isWeaker`: what could not be said protected something, so that what it was in is off. */
export interface Remark {
  readonly outcome: 'changed' | 'not-possible';
  readonly text: string;
  readonly isWeaker: boolean;
}

/** It acts, otherwise than before and never less strictly. */
export function changed(text: string): Remark {
  return { outcome: 'changed', text, isWeaker: false };
}

/** It does not act, and nothing is weaker for it. */
export function missed(text: string): Remark {
  return { outcome: 'not-possible', text, isWeaker: false };
}

/** It does not act, and something was protected by it. */
export function weaker(text: string): Remark {
  return { outcome: 'not-possible', text, isWeaker: true };
}
