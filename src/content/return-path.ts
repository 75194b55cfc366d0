/** The Return-Path field, written at final delivery. @see RFC 5321 §4.4 */
import type { ReversePath } from '../mail/address.ts';
import { formatPath } from '../mail/address.ts';

/** One field with its CRLF; `<>` for the null reverse-path. */
export function composeReturnPath(path: ReversePath): Buffer {
  return Buffer.from(`Return-Path: ${formatPath(path)}\r\n`, 'utf8');
}
