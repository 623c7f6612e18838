/** Files that a flag or an argument names: read or checked, and named in plain words when that fails. */
import { readFile, stat } from 'node:fs/promises';
import { NamedError } from './named-error.js';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist: a part of its path is no folder',
  EISDIR: 'is a folder, not a file',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
};

export async function readText(file: string, from: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw fileError(file, from, error);
  });
}

/** Throws unless it is a file. */
export async function requireFile(file: string, from: string): Promise<void> {
  const found = await stat(file).catch((error: unknown) => {
    throw fileError(file, from, error);
  });
  if (found.isDirectory()) throw fileError(file, from, { code: 'EISDIR' });
}

/** Throws unless it is a folder, or a file whose name ends so. */
export async function requireFolderOr(ending: string, place: string, from: string): Promise<void> {
  const found = await stat(place).catch((error: unknown) => {
    throw fileError(place, from, error);
  });
  if (found.isDirectory() || place.endsWith(ending)) return;
  throw new NamedError(`Expected a folder or a ${ending} file for ${from} but ${place} is another file`, 'ENOTDIR');
}

function fileError(file: string, from: string, cause: unknown): NamedError {
  const { code = 'EIO', message } = cause as { code?: string; message?: string };
  return new NamedError(`${file} (${from}) ${reasons[code] ?? `cannot be read: ${message}`}`, code, { cause });
}
