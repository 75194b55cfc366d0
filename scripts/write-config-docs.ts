/** Writes docs/config.md from the configuration's schema: `node scripts/write-config-docs.ts`. */
import { writeFile } from 'node:fs/promises';
import { renderConfigDocs } from '../src/config/config-docs.ts';

const file = new URL('../docs/config.md', import.meta.url);
await writeFile(file, renderConfigDocs());
