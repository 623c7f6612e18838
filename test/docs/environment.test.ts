/** docs/environment.md names every variable of the environment that the package reads, and no other. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { fields } from '../../src/bridge/configuration/index.js';
import { configOptionsSchema, createConfig } from '../../src/processor/index.js';
import { codesOf, root, textOf } from './pages.js';

/** Files of the package that run at its user's: not those that only a developer of it runs. */
function shipped(): { file: string; text: string }[] {
  const inFolder = (folder: string, files: RegExp) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => files.test(name) && !/(^|[\\/])test[\\/]/.test(name))
      .map((name) => path.join(folder, name));
  const names = [
    ...inFolder('src', /\.ts$/),
    ...inFolder('native', /\.(cc|h|inl)$/),
    ...inFolder('clients', /\.py$/),
    'scripts/build-native.mjs',
  ];
  return names.map((file) => ({ file, text: readFileSync(path.join(root, file), 'utf8') }));
}

/** Names that a file reads: `environment['X']`, `process.env.X`, `{ X, Y: y = '' } = environment`, getenv("X"), environment("X"). */
function readBy(text: string): string[] {
  const subscripts = text.matchAll(/\b(?:process\.env|environment)(?:\.|\[['"])([A-Z]\w*|npm_\w+)/g);
  const calls = text.matchAll(/\b(?:getenv|environ\.get|environment|given)\((?:values, '[\w-]+', |\s*)["'](\w+)["']/g);
  const patterns = text.matchAll(
    /\{([^{}]*)\}(?: = (?:environment|process\.env)\b|: (?:Environment|NodeJS\.ProcessEnv)\b)/g,
  );
  const destructured = [...patterns].flatMap(([, list = '']) =>
    list.split(',').map((part) => /^\s*(\w+)/.exec(part)?.[1] ?? ''),
  );
  return [...[...subscripts, ...calls].map(([, name = '']) => name), ...destructured.filter(Boolean)];
}

const ofConfig = Object.keys(configOptionsSchema.shape).map(
  (name) => `DTESN_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
);

test('every way of reading a variable is found', () => {
  expect(readBy("process.env['A'] process.env.B environment['C'] std::getenv(\"D\") environment(\"E\", '1')")).toEqual([
    'A',
    'B',
    'C',
    'D',
    'E',
  ]);
  expect(readBy("const { F: f = '', G } = environment; function x({ H }: Environment) {}")).toEqual(['F', 'G', 'H']);
});

test('no file of src reads variables in a way that this test does not see', () => {
  const known = /process\.env(?:\[|\.|;|,|\)| as\b)|= process\.env\b/;
  const unseen = shipped().flatMap(({ file, text }) =>
    text
      .split('\n')
      .filter((line) => line.includes('process.env') && !known.test(line))
      .map((line) => `${file}: ${line}`),
  );
  expect(unseen).toEqual([]);
});

test('docs/environment.md names every variable that is read, and no other', () => {
  const read = new Set([...shipped().flatMap(({ text }) => readBy(text)), ...ofConfig]);
  expect(read.size).toBeGreaterThan(25);
  expect(codesOf(textOf('docs/environment.md')).toSorted()).toEqual([...read].toSorted());
});

test('the variables of the configuration set its options', () => {
  const values = { DTESN_DEPTH: '3', DTESN_UNITS: '99', DTESN_CACHING: 'false', DTESN_SOURCE_DEADLINE_MS: '7' };
  expect(createConfig({}, values)).toMatchObject({ depth: 3, units: 99, caching: false, sourceDeadlineMs: 7 });
  const ofNetwork = fields.filter(({ name }) => name.startsWith('network.')).map(({ variable }) => variable);
  expect(ofNetwork.toSorted()).toEqual(ofConfig.toSorted());
});
