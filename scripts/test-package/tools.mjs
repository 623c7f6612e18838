/**
 * What the rows of the package test run with: package managers, Node in several versions, bundlers, compilers. All come from npm
 * and stay in node_modules/.cache, so that only the first run downloads them.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const cache = path.join(root, 'node_modules/.cache/test-package');
const system = process.platform === 'win32' ? 'win' : process.platform;
const nodes = { 20: '20.17.0', 22: '22.23.5', 24: '24.22.3', 26: '26.12.1' };

/** A row that needs it is skipped. */
export class MissingTool extends Error {}

/** The main file of a tool. */
export function tool(file) {
  const place = path.join(cache, 'node_modules', file);
  if (!existsSync(place)) throw new MissingTool(`npm gave no ${file}`);
  return place;
}

/** The binary of a version of Node: of 20 the oldest that the package serves. */
export const node = (version) => tool(`node${version}/bin/node`);

/** Installs what is missing. */
export function installTools() {
  mkdirSync(cache, { recursive: true });
  const manifest = JSON.parse(readFileSync(path.join(import.meta.dirname, 'tools.json'), 'utf8'));
  manifest.optionalDependencies = {};
  for (const [major, version] of Object.entries(nodes)) {
    manifest.optionalDependencies[`node${major}`] = `npm:node-${system}-${process.arch}@${version}`;
  }
  const text = JSON.stringify(manifest, null, 2);
  const file = path.join(cache, 'package.json');
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  const args = ['install', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error', '--prefix', cache];
  writeFileSync(file, text);
  const { status } = spawnSync('npm', args, { cwd: cache, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  writeFileSync(file, '{}'); // the next run tries again
  throw new Error('The tools of the package test could not be installed');
}

/**
 * The variables of a row: a PATH of its version of Node first, and alone where the row has no compiler, and the registry of npm's
 * own configuration for managers that do not read it.
 */
export function environment(version, hasCompiler) {
  const bin = path.join(cache, `bin-${version}`);
  if (!existsSync(bin)) {
    mkdirSync(bin, { recursive: true });
    symlinkSync(node(version), path.join(bin, 'node'));
    symlinkSync('/bin/sh', path.join(bin, 'sh'));
  }
  const { HOME, TMPDIR } = process.env;
  return {
    HOME,
    ...(TMPDIR && { TMPDIR }),
    PATH: hasCompiler ? `${bin}${path.delimiter}${process.env.PATH}` : bin,
    npm_config_registry: registry,
    YARN_NPM_REGISTRY_SERVER: registry,
    YARN_ENABLE_TELEMETRY: '0',
    YARN_UNSAFE_HTTP_WHITELIST: new URL(registry).hostname,
    YARN_ENABLE_GLOBAL_CACHE: 'false',
    CI: '1',
    ...certificates(),
  };
}

const registry = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).stdout.trim();

/** Certificates of a proxy between here and the registry. */
function certificates() {
  const names = [
    'NODE_EXTRA_CA_CERTS',
    'SSL_CERT_FILE',
    'HTTPS_PROXY',
    'HTTP_PROXY',
    'https_proxy',
    'http_proxy',
    'NO_PROXY',
  ];
  return Object.fromEntries(names.filter((name) => process.env[name]).map((name) => [name, process.env[name]]));
}

/** Runs a command; rejects with what it printed where it fails. */
export function run(command, args, { cwd, env, timeoutMs = 180_000 }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(stdout);
      const said = `${stderr}\n${stdout}`.trim();
      reject(new Error(`${path.basename(command)} ${args.at(-1)} ended with ${code ?? signal}: ${said}`));
    });
  });
}
