/**
 * Lets a worker thread of a test import this repository's TypeScript, which Node 20 does not read by itself:
 *
 *     new Worker(new URL('./reader.ts', import.meta.url), { execArgv: ['--import', typescriptUrl] })
 */
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
