/** Every code block of README and docs is run: js blocks must print the text block that follows, dtesn commands must work. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runningBridge } from './bridge/running-bridge.js';
import { pages, root, textOf } from './docs/pages.js';

interface Block {
  page: string;
  line: number;
  language: string;
  text: string;
}

function blocksOf(page: string): Block[] {
  const text = textOf(page);
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(({ 1: language = '', 2: body = '', index }) => {
    return { page, line: text.slice(0, index).split('\n').length, language, text: body };
  });
}

const blocks = pages.flatMap(blocksOf);
const examples = blocks.flatMap((block, i) => {
  const next = blocks[i + 1];
  return block.language === 'js'
    ? [{ block, output: next?.page === block.page && next.language === 'text' ? next.text : null }]
    : [];
});
const commands = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ page, text }) =>
    text
      .trim()
      .split('\n')
      .map((command) => ({ page, command })),
  );

/** Pages whose bridge is started and answers their curl lines. */
const served = ['README.md', 'docs/bridge.md'];

/** A command that serves until it is ended. */
const isServer = (command: string) => command.startsWith('npx dtesn bridge');

/** The examples of docs print what an idle host prints: a busy one may need longer for its sources. Those of README need no patience. */
const patient = { ...process.env, DTESN_SOURCE_DEADLINE_MS: '20000' };

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dtesn-docs-'));
  mkdirSync(path.join(folder, 'node_modules'));
  symlinkSync(root, path.join(folder, 'node_modules/dtesn'), 'dir');
  writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(path.join(folder, 'README.md'), readFileSync(path.join(root, 'README.md')));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('examples', () => {
  const rows = examples.map(({ block, output }) => [`${block.page}:${block.line}`, block, output] as const);
  const isOfReadme = ([, { page }]: (typeof rows)[number]) => page === 'README.md';
  const printsItsOutput = (_name: string, block: Block, output: string | null) => {
    const file = path.join(folder, `example-${block.line}-${path.basename(block.page, '.md')}.js`);
    writeFileSync(file, block.text);
    const { stdout, stderr, status } = spawnSync(process.execPath, [file], {
      cwd: folder,
      encoding: 'utf8',
      env: block.page === 'README.md' ? process.env : patient,
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(output).not.toBeNull();
    expect(stdout).toBe(output);
  };
  test.each(rows.filter(isOfReadme))('%s prints what stands below it', printsItsOutput);
  test.each(rows.filter((row) => !isOfReadme(row)))(
    '%s prints what stands below it',
    { tags: ['slow'] },
    printsItsOutput,
  );
});

describe('commands', () => {
  test('every shell line is one that is known to be tested', () => {
    for (const { command } of commands) expect(command).toMatch(/^(npx dtesn |npm install dtesn$|curl )/);
    const ofBridge = commands.filter(({ command }) => isServer(command) || command.startsWith('curl '));
    expect(ofBridge.filter(({ page }) => !served.includes(page))).toEqual([]);
    const starts = ofBridge.filter(({ command }) => isServer(command)).map(({ page }) => page);
    expect(starts.toSorted()).toEqual(served.toSorted());
  });

  test.each(commands.filter(({ command }) => command.startsWith('npx dtesn') && !isServer(command)))(
    '$command works',
    { tags: ['slow'] },
    ({ command }) => {
      const [, , ...args] = command.split(' ');
      const output = execFileSync(process.execPath, [path.join(root, 'dist/cli/main.js'), ...args], {
        cwd: folder,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      expect(output.length).toBeGreaterThan(100);
    },
  );
});

describe('a bridge', () => {
  const lines = (page: string, begin: string) =>
    commands.filter((one) => one.page === page && one.command.startsWith(begin)).map(({ command }) => command);

  test.each(served)('that the line of %s starts answers its curl lines', async (page) => {
    const [start = ''] = lines(page, 'npx dtesn bridge');
    const [, , , ...args] = start.split(' ');
    await using bridge = await runningBridge({ args });
    const answers = lines(page, 'curl').map((line) => {
      const answer = execFileSync('bash', ['-c', line.replaceAll('http://127.0.0.1:2250', bridge.url)], {
        encoding: 'utf8',
      });
      return JSON.parse(answer) as Record<string, unknown>;
    });
    expect(answers.length).toBeGreaterThan(0);
    for (const answer of answers) expect(answer).not.toHaveProperty('error');
    expect(answers[0]).toHaveProperty('items');
  });
});
