/** Enhanced status codes as data, `4.7.5`. @see RFC 3463 §2, RFC 2034 */

/** Class 2 success, 4 persistent transient failure, 5 permanent failure; subject and detail 0..999. */
export interface EnhancedStatus {
  readonly class: 2 | 4 | 5;
  readonly subject: number;
  readonly detail: number;
}

const shape = /^([245])\.(\d{1,3})\.(\d{1,3})$/;

export function parseEnhancedStatus(text: string): EnhancedStatus | null {
  const match = shape.exec(text);
  if (match === null) return null;
  return {
    class: Number(match[1]) as 2 | 4 | 5,
    subject: Number(match[2]),
    detail: Number(match[3]),
  };
}

export function formatEnhancedStatus(status: EnhancedStatus): string {
  return `${status.class}.${status.subject}.${status.detail}`;
}

/** For literals in code: `status('4.7.5')`. A text of another shape is a programmer's error. */
export function status(text: string): EnhancedStatus {
  const parsed = parseEnhancedStatus(text);
  if (parsed === null) throw new Error(`not an enhanced status code: ${text}`);
  return parsed;
}
