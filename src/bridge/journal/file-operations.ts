/**
 * What the journal asks of a file system, synchronous: it is called on the journal's own thread. Tests put a file system that
 * fails in its place. Directories get mode 0700, files 0600.
 */
import * as fs from 'node:fs';
import { dirname, resolve } from 'node:path';

export interface FileOperations {
  /** Makes the directory where it is missing, its name durable, and takes it from group and others. */
  makeDirectory(dir: string): void;
  list(dir: string): string[];
  /** A descriptor that `sync` makes the names of the directory durable with. */
  openDirectory(dir: string): number;
  /** A new file, open for writing; EEXIST where it exists. */
  create(path: string): number;
  readWhole(path: string): ArrayBuffer;
  /** May write less; returns how much. */
  write(descriptor: number, bytes: Uint8Array, position: number): number;
  truncate(descriptor: number, bytes: number): void;
  datasync(descriptor: number): void;
  sync(descriptor: number): void;
  /** Makes the bytes of a file durable that another process may have written. */
  syncFile(path: string): void;
  close(descriptor: number): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
}

/** A read of Node takes no more at once. */
const READ_BYTES = 2 ** 30;

export const nodeFiles: FileOperations = {
  makeDirectory(dir) {
    fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
    if ((fs.statSync(dir).mode & 0o777) !== 0o700) fs.chmodSync(dir, 0o700);
    syncParent(dir);
  },
  list: (dir) => fs.readdirSync(dir),
  openDirectory: (dir) => fs.openSync(dir, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY),
  create: (path) => fs.openSync(path, 'wx', 0o600),
  readWhole(path) {
    const descriptor = fs.openSync(path, 'r');
    try {
      const bytes = new Uint8Array(fs.fstatSync(descriptor).size);
      let at = 0;
      while (at < bytes.length) {
        const read = fs.readSync(descriptor, bytes, at, Math.min(READ_BYTES, bytes.length - at), at);
        if (read === 0) throw new Error(`${path} became shorter while it was read`);
        at += read;
      }
      return bytes.buffer;
    } finally {
      fs.closeSync(descriptor);
    }
  },
  write: (descriptor, bytes, position) => fs.writeSync(descriptor, bytes, 0, bytes.length, position),
  truncate: (descriptor, bytes) => fs.ftruncateSync(descriptor, bytes),
  datasync: (descriptor) => fs.fdatasyncSync(descriptor),
  sync: (descriptor) => fs.fsyncSync(descriptor),
  syncFile(path) {
    const descriptor = fs.openSync(path, 'r+');
    try {
      fs.fdatasyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  },
  close: (descriptor) => fs.closeSync(descriptor),
  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.unlinkSync(path),
};

/** Makes the name of a directory durable, where its parent may be read. */
function syncParent(dir: string): void {
  let descriptor: number;
  try {
    descriptor = fs.openSync(dirname(resolve(dir)), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  } catch {
    return;
  }
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
