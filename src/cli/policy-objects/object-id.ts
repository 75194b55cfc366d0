/** The id that an object bears in Exchange's form: made from its place, so that it is always the same. */
import { createHash } from 'node:crypto';
import type { ObjectPlace } from './policy-objects-client.ts';

/** A UUID of version 8, which is for such; another name gives another one. */
export function guidOf({ kind, organization, name }: ObjectPlace): string {
  const text = JSON.stringify(['postern', organization, kind, name]);
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  const lengths = [8, 4, 4, 4, 12];
  let at = 0;
  return lengths.map((length) => hex.slice(at, (at += length))).join('-');
}
