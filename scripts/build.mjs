/** Compiles src/ into dist/: the bundles, their declarations, the dashboard. docs/architecture.md says what lies where. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { bundle, writeFaces } from './build/bundle.mjs';
import { declarations } from './build/declarations.mjs';

const root = path.dirname(import.meta.dirname);
rmSync(path.join(root, 'dist'), { recursive: true, force: true }); // what no source makes any more must not be shipped
await Promise.all([declarations(root), bundle(root)]);
await import('./copy-dashboard.mjs');
writeFaces(root); // last: their age says that everything is there
