/** JSON for programs that is harmless in a terminal: what `sanitizePeerText` minds is escaped. */
import { sanitizePeerText } from '../mail/peer-text.ts';

/** Two spaces of indent, LF at the end; parsing it gives the value back unchanged. */
export function formatJson(value: unknown): string {
  const text = JSON.stringify(value, null, 2) ?? 'null';
  return `${text.replace(/[^\x20-\x7e\n]/gu, escapeUnsafe)}\n`;
}

function escapeUnsafe(character: string): string {
  if (sanitizePeerText(character) === character) return character;
  return Array.from(
    { length: character.length },
    (_, place) => `\\u${character.charCodeAt(place).toString(16).padStart(4, '0')}`,
  ).join('');
}
