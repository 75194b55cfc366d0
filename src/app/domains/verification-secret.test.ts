/** The secret of the tokens: made once, kept private, and never a reason to take mail. */
import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { domain, newFolder, startDomainRig } from '../../../test/support/domain-rig.ts';
import { foldersOf } from '../data-folder.ts';
import { openVerificationSecret } from './verification-secret.ts';

describe('the secret', () => {
  test('is made once, differs between gateways, and is closed where it was open', async (t) => {
    const [one, other] = [join(await newFolder(t), 's'), join(await newFolder(t), 's')];
    const first = await openVerificationSecret(one);
    assert.deepEqual(await openVerificationSecret(one), first);
    assert.notEqual((await openVerificationSecret(other)).secret, first.secret);
    await chmod(one, 0o644);
    await openVerificationSecret(one);
    assert.equal((await stat(one)).mode & 0o777, 0o600);
  });

  test('that is damaged is moved aside and said', async (t) => {
    const file = join(await newFolder(t), 's');
    await writeFile(file, 'half');
    assert.equal((await openVerificationSecret(file)).hasReplaced, true);
    assert.equal(await readFile(`${file}.damaged`, 'utf8'), 'half');
  });

  test('that cannot be made is said, and nothing is proven without it', async (t) => {
    const folder = await newFolder(t);
    const file = foldersOf(folder).verificationSecret;
    await mkdir(file);
    const rig = await startDomainRig(t, { folder });
    const claim = await rig.care.verify(domain);
    assert.equal(claim.token, null);
    assert.match(rig.care.warnings().join('\n'), /no domain can be proven.*EISDIR/);
    assert.equal(rig.looks(), 0);
  });
});
