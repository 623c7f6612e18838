/**
 * Builds the documentation site into docs/.vitepress/dist: the pages of the repository are copied into docs/.site, TypeDoc adds the API
 * reference from the docstrings of src/, and VitePress builds both. These programs are installed from docs/package-lock.json where they
 * are missing.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const docs = fileURLToPath(new URL('../docs/', import.meta.url));

function run(command, args) {
  const { status, error } = spawnSync(command, args, {
    cwd: docs,
    stdio: 'inherit',
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** Runs the program of a package of docs/node_modules. */
function runPackage(name, args) {
  const folder = path.join(docs, 'node_modules', name);
  const { bin } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  run(process.execPath, [path.join(folder, typeof bin === 'string' ? bin : bin[name]), ...args]);
}

/** The pages of the site; each stands under its path in the repository, so that its links are right. */
function copyPages() {
  const ofDocs = readdirSync(docs).filter((name) => name.endsWith('.md'));
  const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'deploy/README.md', 'native/simd/README.md'];
  for (const page of [...pages, ...ofDocs.map((name) => `docs/${name}`)]) {
    cpSync(path.join(docs, '..', page), path.join(docs, '.site', page));
  }
  cpSync(path.join(docs, 'images'), path.join(docs, '.site/docs/images'), { recursive: true });
}

if (!existsSync(path.join(docs, 'node_modules'))) run('npm', ['ci', '--loglevel=error', '--no-audit', '--no-fund']);
rmSync(path.join(docs, '.site'), { recursive: true, force: true });
copyPages();
runPackage('typedoc', ['--options', 'typedoc.json', '--treatValidationWarningsAsErrors']);
runPackage('vitepress', ['build', '.']);
