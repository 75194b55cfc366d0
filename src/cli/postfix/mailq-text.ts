/** The queue in the shapes that `mailq` and `postqueue -j` of Postfix have. @see postqueue(1) */
import type { ApiClient } from '../../api/client.ts';
import { queueRowsMax } from '../../api/contract.ts';
import type { QueueRowView } from '../../api/contract.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';

const title = '-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n';

/** `!` marks what is held. Times are of this machine, as Postfix shows them. */
export async function formatMailq(client: ApiClient): Promise<string> {
  const { rows } = await client.listQueue({ limit: queueRowsMax });
  if (rows.length === 0) return 'Mail queue is empty\n';
  const messages = groupById(rows);
  const bytes = messages.reduce((sum, [first]) => sum + first!.sizeBytes, 0);
  const count = `${messages.length} Request${messages.length === 1 ? '' : 's'}`;
  const end = `-- ${Math.ceil(bytes / 1024)} Kbytes in ${count}.\n`;
  return `${title}${messages.map(formatMessage).join('\n')}\n${end}`;
}

function formatMessage(rows: readonly QueueRowView[]): string {
  const [first] = rows;
  const mark = rows.some(({ state }) => state === 'held') ? '!' : ' ';
  const { id, sizeBytes, receivedAt, from } = first!;
  const sender = from ?? 'MAILER-DAEMON';
  const head = `${`${id}${mark}`.padEnd(13)}${String(sizeBytes).padStart(7)} ${formatArrival(receivedAt)}  ${sender}`;
  const lines = rows.flatMap(({ lastOutcome, recipients }) => [
    ...(lastOutcome === null ? [] : [`(${lastOutcome.reason})`.padStart(78)]),
    ...recipients.map((recipient) => `${' '.repeat(41)}${recipient}`),
  ]);
  return `${[head, ...lines].map(sanitizePeerText).join('\n')}\n`;
}

/** `Sun Nov 22 10:00:00` in local time. */
function formatArrival(time: string): string {
  const [weekday, month, day, , clock] = new Date(time).toString().split(' ');
  return `${weekday ?? ''} ${month ?? ''} ${String(Number(day)).padStart(2)} ${clock ?? ''}`;
}

function groupById(rows: readonly QueueRowView[]): readonly (readonly QueueRowView[])[] {
  const groups = new Map<string, QueueRowView[]>();
  for (const row of rows) {
    const group = groups.get(row.id);
    if (group === undefined) groups.set(row.id, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}

/** One JSON object per message and line. */
export async function formatMailqJson(client: ApiClient): Promise<string> {
  const { rows } = await client.listQueue({ limit: queueRowsMax });
  return groupById(rows)
    .map((group) => {
      const [first] = group;
      const isHeld = group.some(({ state }) => state === 'held');
      return `${JSON.stringify({
        queue_name: isHeld ? 'hold' : 'deferred',
        queue_id: first!.id,
        arrival_time: Math.floor(Date.parse(first!.receivedAt) / 1000),
        message_size: first!.sizeBytes,
        sender: first!.from ?? '',
        recipients: group.flatMap(({ recipients, lastOutcome }) =>
          recipients.map((address) => ({
            address,
            ...(lastOutcome === null ? {} : { delay_reason: lastOutcome.reason }),
          })),
        ),
      })}\n`;
    })
    .join('');
}
