/**
 * A file system in memory that fails as requested and knows what a power failure would leave: the contents that were synced, under
 * the names that were synced. `kill()` leaves what was written, synced or not.
 */
import type { FileOperations } from '../../../src/bridge/journal/file-operations.js';

interface Content {
  bytes: Uint8Array;
  synced: Uint8Array;
}

export type Operation = keyof FileOperations;

export class MemoryFiles implements FileOperations {
  #names = new Map<string, Content>();
  #durableNames = new Map<string, Content>();
  readonly #open = new Map<number, Content | null>();
  #next = 3;
  /** Asked before each operation; throws, or returns how many bytes a write takes. */
  fault: (operation: Operation, path: string, bytes: number) => number | undefined = () => undefined;
  readonly operations: Operation[] = [];

  /** What is there after kill -9. */
  kill(): MemoryFiles {
    return this.#copy(this.#names, ({ bytes }) => bytes);
  }

  /** What is there after a power failure. */
  cutPower(): MemoryFiles {
    return this.#copy(this.#durableNames, ({ synced }) => synced);
  }

  get openDescriptors(): number {
    return this.#open.size;
  }

  names(): string[] {
    return [...this.#names.keys()].sort();
  }

  get(name: string): Uint8Array {
    return this.#content(name).bytes;
  }

  set(name: string, bytes: Uint8Array): void {
    const content = { bytes: bytes.slice(), synced: bytes.slice() };
    this.#names.set(name, content);
    this.#durableNames.set(name, content);
  }

  makeDirectory(dir: string): void {
    this.#begin('makeDirectory', dir);
  }

  list(dir: string): string[] {
    this.#begin('list', dir);
    return this.names().map((name) => name.slice(dir.length + 1));
  }

  openDirectory(dir: string): number {
    this.#begin('openDirectory', dir);
    return this.#descriptor(null);
  }

  create(path: string): number {
    this.#begin('create', path);
    if (this.#names.has(path)) throw new Error(`EEXIST: ${path}`);
    const content = { bytes: new Uint8Array(0), synced: new Uint8Array(0) };
    this.#names.set(path, content);
    return this.#descriptor(content);
  }

  readWhole(path: string): ArrayBuffer {
    this.#begin('readWhole', path);
    return this.#content(path).bytes.slice().buffer;
  }

  write(descriptor: number, bytes: Uint8Array, position: number): number {
    const taken = this.#begin('write', this.#nameOf(descriptor), bytes.length) ?? bytes.length;
    const content = this.#open.get(descriptor);
    if (!content) throw new Error('EBADF');
    const grown = new Uint8Array(Math.max(content.bytes.length, position + taken));
    grown.set(content.bytes);
    grown.set(bytes.subarray(0, taken), position);
    content.bytes = grown;
    return taken;
  }

  truncate(descriptor: number, bytes: number): void {
    this.#begin('truncate', this.#nameOf(descriptor));
    const content = this.#open.get(descriptor)!;
    content.bytes = content.bytes.slice(0, bytes);
  }

  datasync(descriptor: number): void {
    this.#begin('datasync', this.#nameOf(descriptor));
    const content = this.#open.get(descriptor)!;
    content.synced = content.bytes.slice();
  }

  sync(descriptor: number): void {
    this.#begin('sync', this.#nameOf(descriptor));
    const content = this.#open.get(descriptor);
    if (content === undefined) throw new Error('EBADF');
    if (content === null) this.#durableNames = new Map(this.#names);
    else content.synced = content.bytes.slice();
  }

  syncFile(path: string): void {
    this.#begin('syncFile', path);
    const content = this.#content(path);
    content.synced = content.bytes.slice();
  }

  close(descriptor: number): void {
    this.#begin('close', this.#nameOf(descriptor));
    if (!this.#open.delete(descriptor)) throw new Error('EBADF');
  }

  rename(from: string, to: string): void {
    this.#begin('rename', from);
    this.#names.set(to, this.#content(from));
    this.#names.delete(from);
  }

  remove(path: string): void {
    this.#begin('remove', path);
    if (!this.#names.delete(path)) throw new Error(`ENOENT: ${path}`);
  }

  #begin(operation: Operation, path: string, bytes = 0): number | undefined {
    this.operations.push(operation);
    return this.fault(operation, path, bytes);
  }

  #descriptor(content: Content | null): number {
    this.#open.set(this.#next, content);
    return this.#next++;
  }

  #content(path: string): Content {
    const content = this.#names.get(path);
    if (content === undefined) throw new Error(`ENOENT: ${path}`);
    return content;
  }

  #nameOf(descriptor: number): string {
    const content = this.#open.get(descriptor);
    return [...this.#names].find(([, one]) => one === content)?.[0] ?? 'directory';
  }

  #copy(names: Map<string, Content>, taken: (content: Content) => Uint8Array): MemoryFiles {
    const copy = new MemoryFiles();
    for (const [name, content] of names) copy.set(name, taken(content));
    return copy;
  }
}
