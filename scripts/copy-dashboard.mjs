/** Copies the page of the dashboard, and the files of uPlot that it loads with their licence, into dist, or the folder given: tsc copies no such file. */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const page = process.argv[2] ?? path.join(root, 'dist/core/page');
const uplot = path.join(root, 'node_modules/uplot');

rmSync(page, { recursive: true, force: true });
cpSync(path.join(root, 'src/bridge/dashboard/page'), page, { recursive: true });
mkdirSync(path.join(page, 'uplot'));
cpSync(path.join(uplot, 'dist/uPlot.esm.js'), path.join(page, 'uplot/uPlot.esm.js'));
cpSync(path.join(uplot, 'dist/uPlot.min.css'), path.join(page, 'uplot/uPlot.css'));
cpSync(path.join(uplot, 'LICENSE'), path.join(page, 'uplot/LICENSE'));
