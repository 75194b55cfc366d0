/** The same bytes in other pieces: a stream may be cut anywhere. */
import { Random, seedOf } from './random.ts';

/** In single octets (where there are few), in pieces of a few sizes, and cut once at some place. */
export function cutsOf(input: Buffer): readonly (readonly Buffer[])[] {
  if (input.length < 2) return [];
  const random = new Random(seedOf('cuts', input.length * 31 + input[input.length >> 1]!));
  const at = 1 + random.below(input.length - 1);
  const cuts = [[input.subarray(0, at), input.subarray(at)], pieces(input, 2 + random.below(40))];
  if (input.length <= 400) cuts.push(pieces(input, 1));
  return cuts;
}

/** Copies, as a socket gives them: nobody may count on what lies behind a piece. */
export function pieces(input: Buffer, size: number): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < input.length; at += size) {
    found.push(Buffer.from(input.subarray(at, at + size)));
  }
  return found;
}
