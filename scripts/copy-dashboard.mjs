/** Copies the page of the dashboard, and the files of uPlot that it loads with their licence, into dist, or the folder given: tsc copies no such file. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { minifySync } from 'rolldown/utils';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const page = process.argv[2] ?? path.join(root, 'dist/core/page');
const uplot = path.join(root, 'node_modules/uplot');

rmSync(page, { recursive: true, force: true });
cpSync(path.join(root, 'src/bridge/dashboard/page'), page, { recursive: true });
mkdirSync(path.join(page, 'uplot'));
// A third of the bytes, where the package has no minified module of its own; its licence lies beside it.
writeFileSync(path.join(page, 'uplot/uPlot.esm.js'), minified(path.join(uplot, 'dist/uPlot.esm.js')));
cpSync(path.join(uplot, 'dist/uPlot.min.css'), path.join(page, 'uplot/uPlot.css'));
cpSync(path.join(uplot, 'LICENSE'), path.join(page, 'uplot/LICENSE'));

function minified(file) {
  const { code, errors } = minifySync(file, readFileSync(file, 'utf8'), { module: true });
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`);
  return code;
}
