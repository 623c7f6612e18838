/**
 * What the command writes: pages on standard output, notes and errors on standard error, broken to the width of the terminal; where it is no
 * terminal, no line is broken. JSON is never broken.
 */
import { json, printable } from './printable.js';
import { isUsageError } from './usage-error.js';
import { fitted } from './wrap.js';

/** The code of an error that has none. */
const UNEXPECTED = 'unexpected';

type Output = { readonly isTTY?: boolean; readonly columns?: number };

/** Columns of a terminal; Infinity where the output is none. */
export function columnsOf({ isTTY, columns }: Output): number {
  return isTTY && columns !== undefined && columns > 0 ? columns : Number.POSITIVE_INFINITY;
}

export function printPage(text: string): void {
  process.stdout.write(`${fitted(text.replace(/\n$/, ''), columnsOf(process.stdout))}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${json(value)}\n`);
}

/** A sentence beside the answer. */
export function note(sentence: string): void {
  process.stderr.write(`${fitted(`dtesn: ${printable(sentence)}`, columnsOf(process.stderr))}\n`);
}

/** Says why the command failed, as the last line; returns the exit code. */
export function fail(error: unknown, asJson: boolean): number {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (asJson) {
    printJson({ error: { code, message } });
  } else if (isUsageError(error)) {
    note(`${message} (see dtesn ${error.command === null ? '--help' : `${error.command} --help`})`);
  } else {
    note(code === UNEXPECTED ? String(error) : `${message} (${code})`);
  }
  return isUsageError(error) ? 2 : 1;
}

/** The code of an error of this package or of the system. */
function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : UNEXPECTED;
}
