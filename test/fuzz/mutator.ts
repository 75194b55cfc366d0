/**
 * Mutations of known inputs: what a stranger would try on a parser that reads bytes.
 *
 * Bits, octets, pieces, repetitions, splices with other inputs, length fields and numbers at their
 * bounds, and the tokens of the grammar in places where they do not belong.
 */
import type { Random } from './random.ts';

/** From what mutations are made. `pool` is not empty. */
export interface MutationMaterial {
  readonly pool: readonly Buffer[];
  readonly tokens: readonly Buffer[];
  /** Longest result, in octets. */
  readonly sizeMax: number;
}

type Mutation = (input: Buffer, random: Random, material: MutationMaterial) => Buffer;

const boundaryOctets = [0, 1, 0x09, 0x0a, 0x0d, 0x20, 0x2e, 0x3a, 0x7f, 0x80, 0xc0, 0xfe, 0xff];
const boundaryNumbers = [
  '0',
  '-1',
  '00',
  '1',
  '127',
  '128',
  '255',
  '256',
  '65535',
  '65536',
  '2147483647',
  '4294967296',
  '9007199254740993',
  '99999999999999999999',
  '1e9',
  '0x10',
];

const flipBit: Mutation = (input, random) => {
  if (input.length === 0) return input;
  const output = Buffer.from(input);
  const at = random.below(output.length);
  output[at]! ^= 1 << random.below(8);
  return output;
};

const setOctet: Mutation = (input, random) => {
  if (input.length === 0) return input;
  const output = Buffer.from(input);
  output[random.below(output.length)] = random.oneIn(2)
    ? random.pick(boundaryOctets)
    : random.below(256);
  return output;
};

const insertOctets: Mutation = (input, random) => {
  const size = 1 + random.below(random.oneIn(8) ? 64 : 4);
  const octet = random.pick(boundaryOctets);
  const inserted = Buffer.alloc(size, octet);
  if (random.oneIn(2)) for (let i = 0; i < size; i++) inserted[i] = random.below(256);
  return insertAt(input, random.below(input.length + 1), inserted);
};

const insertToken: Mutation = (input, random, { tokens }) =>
  tokens.length === 0
    ? input
    : insertAt(input, random.below(input.length + 1), random.pick(tokens));

const overwriteWithToken: Mutation = (input, random, { tokens }) => {
  if (tokens.length === 0) return input;
  const token = random.pick(tokens);
  const at = random.below(input.length + 1);
  return replaceAt(input, at, Math.min(token.length, input.length - at), token);
};

const removePiece: Mutation = (input, random) => {
  const [at, size] = piece(input, random);
  return replaceAt(input, at, size, Buffer.alloc(0));
};

const cutEnd: Mutation = (input, random) => input.subarray(0, random.below(input.length + 1));

const repeatPiece: Mutation = (input, random, { sizeMax }) => {
  const [at, size] = piece(input, random);
  if (size === 0) return input;
  const room = Math.max(1, Math.floor((sizeMax - input.length) / size));
  const times = 1 + random.below(random.oneIn(6) ? Math.min(room, 400) : 4);
  return insertAt(
    input,
    at,
    Buffer.concat(Array.from({ length: times }, () => input.subarray(at, at + size))),
  );
};

const movePiece: Mutation = (input, random) => {
  const [at, size] = piece(input, random);
  const taken = input.subarray(at, at + size);
  const rest = replaceAt(input, at, size, Buffer.alloc(0));
  return insertAt(rest, random.below(rest.length + 1), taken);
};

const splice: Mutation = (input, random, { pool }) => {
  const other = random.pick(pool);
  const [head, tail] = random.oneIn(2) ? [input, other] : [other, input];
  return Buffer.concat([
    head.subarray(0, random.below(head.length + 1)),
    tail.subarray(random.below(tail.length + 1)),
  ]);
};

const insertPieceOfOther: Mutation = (input, random, { pool }) => {
  const other = random.pick(pool);
  const [at, size] = piece(other, random);
  return insertAt(input, random.below(input.length + 1), other.subarray(at, at + size));
};

/** A big-endian field of one, two or four octets, at a bound, by one more or less, or the rest. */
const lengthField: Mutation = (input, random) => {
  const width = random.pick([1, 2, 4]);
  if (input.length < width) return input;
  const output = Buffer.from(input);
  const at = random.below(output.length - width + 1);
  const top = 2 ** (8 * width);
  const old = output.readUIntBE(at, width);
  const left = output.length - at - width;
  const values = [0, 1, top - 1, top / 2, top / 2 - 1, old + 1, old - 1, left, left + 1, left - 1];
  output.writeUIntBE((random.pick(values) + top) % top, at, width);
  return output;
};

const decimalNumber: Mutation = (input, random) => {
  const numbers = Array.from(input.toString('latin1').matchAll(/\d+/g));
  if (numbers.length === 0) return input;
  const { index, 0: digits } = random.pick(numbers);
  const near = String(Number(digits) + random.pick([-1, 1]));
  const number = random.oneIn(3) ? near : random.pick(boundaryNumbers);
  return replaceAt(input, index, digits.length, Buffer.from(number));
};

const changeCase: Mutation = (input, random) => {
  const [at, size] = piece(input, random);
  const text = input.toString('latin1', at, at + size);
  const changed = random.oneIn(2) ? text.toUpperCase() : text.toLowerCase();
  // Some letters grow, as ß does; latin1 keeps one octet for each that is left.
  return replaceAt(input, at, size, Buffer.from(changed, 'latin1'));
};

const mutations: readonly Mutation[] = [
  flipBit,
  setOctet,
  setOctet,
  insertOctets,
  insertToken,
  insertToken,
  overwriteWithToken,
  removePiece,
  cutEnd,
  repeatPiece,
  movePiece,
  splice,
  insertPieceOfOther,
  lengthField,
  decimalNumber,
  changeCase,
];

/** One to eight mutations of `input`, mostly few; never longer than `sizeMax`. */
export function mutate(input: Buffer, random: Random, material: MutationMaterial): Buffer {
  let output = input;
  const count = 1 + Math.min(random.below(8), random.below(8));
  for (let i = 0; i < count; i++) {
    output = random.pick(mutations)(output, random, material);
    if (output.length > material.sizeMax) output = output.subarray(0, material.sizeMax);
  }
  return output;
}

/** A short piece, or now and then any. */
function piece(input: Buffer, random: Random): [at: number, size: number] {
  const at = random.below(input.length + 1);
  const left = input.length - at;
  return [at, Math.min(left, 1 + random.below(random.oneIn(4) ? left + 1 : 16))];
}

function insertAt(input: Buffer, at: number, inserted: Buffer): Buffer {
  return replaceAt(input, at, 0, inserted);
}

function replaceAt(input: Buffer, at: number, size: number, by: Buffer): Buffer {
  return Buffer.concat([input.subarray(0, at), by, input.subarray(at + size)]);
}
