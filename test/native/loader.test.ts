import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadAddon } from '../../src/native/index.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dtesn-loader-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('without a binary the error names the platform, what was tried and the command that builds one', () => {
  const attempt = () => loadAddon(folder);
  expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_DTESN_BINARY' }));
  for (const part of [`${process.platform}-${process.arch}`, 'build/Release', 'prebuilds', 'npx dtesn build', folder]) {
    expect(attempt).toThrow(part);
  }
});

test('a binary that will not load is named with the reason of the system, which is also the cause', () => {
  mkdirSync(path.join(folder, 'build/Release'), { recursive: true });
  const file = path.join(folder, 'build/Release/dtesn.node');
  writeFileSync(file, 'not a binary');
  const attempt = () => loadAddon(folder);
  expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_DTESN_BINARY_LOAD', cause: expect.any(Error) }));
  expect(attempt).toThrow(file);
  expect(attempt).toThrow(/invalid ELF header|not a valid|too short|no suitable image/i);
});
