/**
 * What a gateway does under attack: each attack of `test/support/attacks`, larger than in the tests,
 * with a good client beside it. Loopback only, bounded in number and time.
 *
 *     npx node benchmarks/attacks.ts [SCALE]     # 4 where absent; about a minute for each
 */
import { attackedGateway, attacks, slowContent } from '../test/support/attacks/attacks.ts';
import { besiege, residentMb } from '../test/support/attacks/siege.ts';
import type { SiegeFigures } from '../test/support/attacks/siege.ts';
import { startGateway } from '../test/support/gateway.ts';
import { gatewaySetup, listeners } from '../test/support/gateway-config.ts';

const scale = Number(process.argv[2] ?? '4');
if (!Number.isInteger(scale) || scale < 1 || scale > 20) {
  console.error('usage: node benchmarks/attacks.ts [SCALE], a whole number from 1 to 20');
  process.exit(64);
}

const implicit = { name: 'implicit', host: '127.0.0.1', port: 0, kind: 'mx', tls: 'implicit' };
const setup = await gatewaySetup({ listeners: [...listeners, implicit], top: attackedGateway });
const gateway = await startGateway(setup);
const target = {
  mx: gateway.port('mx'),
  implicit: gateway.port('implicit'),
  submissions: gateway.port('submissions'),
  recipient: 'user@example.test',
};

try {
  console.log(`at rest ${Math.round(await residentMb(gateway))} MB; scale ${scale}\n`);
  console.log(
    '| attack | met by | s | good mail | turned away | median ms | slowest ms | peak MB |',
  );
  console.log('| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |');
  let accepted = 0;
  for (const attack of [...attacks, slowContent]) {
    const figures = await besiege(gateway, target, attack, scale);
    accepted += figures.accepted;
    console.log(rowOf(attack.name, figures));
  }
  const arrived = (await gateway.waitForMail('user', accepted)).length;
  console.log(`\n${accepted} good messages accepted, ${arrived} in the mailbox`);
  if (arrived !== accepted) process.exitCode = 1;
  await gateway.stop();
} finally {
  await gateway.remove();
}

function rowOf(name: string, figures: SiegeFigures): string {
  const { answers, seconds, accepted, turnedAway, medianMs, slowestMs, peakMb } = figures;
  const met = Object.entries(answers).map(([word, count]) => `${count} × ${word}`);
  const numbers = [accepted, turnedAway, medianMs, slowestMs, peakMb].map(Math.round);
  return `| ${[name, met.join(', '), seconds.toFixed(1), ...numbers].join(' | ')} |`;
}
