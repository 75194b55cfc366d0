/**
 * Our search and judgement of paths against `openssl verify -x509_strict -auth_level 2
 * -policy_check -partial_chain`, over seeded chains with combined faults.
 *
 * Never laxer: a path that we take must satisfy OpenSSL by itself. Stricter only where `stricter`
 * says so. `POSTERN_CHAINS=5000` for many, `POSTERN_SEED` for others.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeChainCase } from '../../test/support/chain-cases.ts';
import type { ChainCase } from '../../test/support/chain-cases.ts';
import { askOpenssl } from '../../test/support/openssl-verify.ts';
import type { OpensslQuestion } from '../../test/support/openssl-verify.ts';
import { AnchorSet } from './anchors.ts';
import { findPath } from './chain.ts';
import type { PathFound } from './chain.ts';
import { PresentedChain } from './presented-chain.ts';

const count = Number(process.env['POSTERN_CHAINS'] ?? 240);
const seed = Number(process.env['POSTERN_SEED'] ?? 1);
const purposes = ['serverAuth', 'clientAuth'] as const;

/** Where we refuse what OpenSSL accepts, and nowhere else: our problem, its detail, [the faults]. */
const stricter: readonly RegExp[] = [
  /^weak-signature leaf .*1\.2\.840\.10045\.4\.3\.1/, // SHA-224
  // OpenSSL leaves the leaf's key to the handshake, and counts secp256k1 by its size alone.
  /^weak-key leaf \(depth 0\): (RSA of 1024 bits|curve 1\.3\.132\.0\.(33|10)) /,
  // We do not process constraints on URIs: a URI under one fails.
  /^name-constraint .*a constrained form of name \[.*permits URIs/,
  // A wildcard stands for the host that is excluded below it; OpenSSL compares the text.
  /^name-constraint .*a name that is excluded \[(?=.*leaf: wildcard)(?=.*excludes mx\.a\.test)/,
  // OpenSSL does not decode the policy extensions of an anchor: a broken one passes there.
  / \[.*CA \d: trailing octets in an extension/,
];

function ours(chainCase: ChainCase, purpose: OpensslQuestion['purpose'] | 'either', at: number) {
  const chain = new PresentedChain([chainCase.leaf, ...chainCase.sent].map((each) => each.der));
  const set = new AnchorSet(
    'file:/test',
    chainCase.anchors.map((each) => each.der),
  );
  return findPath(chain, { anchors: 'file:/test', set, purpose, at });
}

function wordsOf(found: PathFound): string {
  return 'path' in found ? 'ok' : `${found.fault.problem} ${found.fault.detail}`;
}

/** The certificates of a path of ours, as the only ones that OpenSSL gets. */
function exactly(
  chainCase: ChainCase,
  found: PathFound,
): Pick<OpensslQuestion, 'sent' | 'anchors'> {
  assert.ok('path' in found);
  const all = [chainCase.leaf, ...chainCase.sent, ...chainCase.anchors];
  const chosen = found.path.map((each) => all.find((made) => made.der.equals(each.der))!);
  return { sent: chosen.slice(1, -1), anchors: chosen.slice(-1) };
}

test(`paths of ${count} chains are judged as OpenSSL judges them`, async (context) => {
  const at = Date.now();
  const cases = Array.from({ length: count }, (_, index) => makeChainCase(seed, index));
  const questions = cases.flatMap(({ leaf, sent, anchors }) =>
    purposes.map((purpose) => ({ leaf, sent, anchors, purpose, at })),
  );
  const answers = await askOpenssl(questions);
  const found = questions.map(({ purpose }, index) => ours(cases[index >> 1]!, purpose, at));
  const doubtful: { question: OpensslQuestion; about: string }[] = [];
  const wrong: string[] = [];
  let accepted = 0;
  let stricterCount = 0;
  for (const [index, answer] of answers.entries()) {
    const chainCase = cases[index >> 1]!;
    const mine = found[index]!;
    const about =
      `seed ${seed} case ${index >> 1} ${questions[index]!.purpose} [${chainCase.faults.join('; ')}]: ` +
      `ours ${wordsOf(mine)}, OpenSSL ${answer}`;
    if ('path' in mine) accepted += 1;
    if ('path' in mine && answer !== 'ok') {
      doubtful.push({ question: { ...questions[index]!, ...exactly(chainCase, mine) }, about });
    }
    if (!('path' in mine) && answer === 'ok') {
      stricterCount += 1;
      const isKnown = stricter.some((pattern) =>
        pattern.test(`${wordsOf(mine)} [${chainCase.faults.join('; ')}]`),
      );
      if (!isKnown) wrong.push(`stricter without saying so: ${about}`);
    }
  }
  const again = await askOpenssl(doubtful.map(({ question }) => question));
  for (const [index, answer] of again.entries()) {
    const { about } = doubtful[index]!;
    if (answer !== 'ok') wrong.push(`laxer than OpenSSL: ${about}; alone: ${answer}`);
  }
  for (const [index, chainCase] of cases.entries()) {
    const single = [found[2 * index]!, found[2 * index + 1]!].some((each) => 'path' in each);
    assert.equal('path' in ours(chainCase, 'either', at), single, chainCase.faults.join('; '));
  }
  context.diagnostic(
    `${answers.length} verdicts: ${accepted} accepted by us, ${again.length} of them by a path ` +
      `that OpenSSL did not try, ${stricterCount} refused by our stricter rules`,
  );
  assert.deepEqual(wrong, []);
  assert.ok(accepted > answers.length / 10 && accepted < (answers.length * 9) / 10);
});
