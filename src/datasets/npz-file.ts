/** Archives of arrays of NumPy (`.npz`). */
import { crc32, inflateRawSync } from 'node:zlib';
import { argumentError } from '../errors/index.js';
import { checkMemory } from '../numeric/index.js';
import { dataError, type NpyArray, parseNpy } from './npy-file.js';

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const MOST_COMMENT = 65_535;

/**
 * The arrays of a `.npz` file by name, as `numpy.savez` and `numpy.savez_compressed` write it: a ZIP archive of `.npy` files, which
 * parseNpy reads.
 *
 * Errors: TypeError ERR_DTESN_ARGUMENT for anything but bytes; DtesnError ERR_DTESN_DATA, which names the array, for an archive that is cut or
 * altered, has more than 4 GiB or is encrypted, and as parseNpy's.
 * Source: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", section 4.3.
 */
export function parseNpz(bytes: Uint8Array): Map<string, NpyArray> {
  if (!(bytes instanceof Uint8Array)) throw argumentError('the bytes of a .npz file', 'bytes', bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const arrays = new Map<string, NpyArray>();
  const entries = entriesOf(view, bytes);
  const total = (part: 'packed' | 'size') => entries.reduce((sum, entry) => sum + entry[part], 0);
  if (total('packed') > bytes.length)
    throw dataError('files that do not overlap in a .npz file', 'an altered directory');
  checkMemory(3 * total('size'), 'the arrays of a .npz file');
  for (const entry of entries) {
    if (!entry.name.endsWith('.npy')) throw dataError('.npy files in a .npz file', entry.name);
    try {
      arrays.set(entry.name.slice(0, -'.npy'.length), parseNpy(contentOf(view, bytes, entry)));
    } catch (cause) {
      throw dataError(`${entry.name} of the .npz file to be readable`, (cause as Error).message);
    }
  }
  return arrays;
}

interface Entry {
  name: string;
  method: number;
  checksum: number;
  packed: number;
  size: number;
  at: number;
}

function entriesOf(view: DataView, bytes: Uint8Array): Entry[] {
  let end = bytes.length - END_BYTES;
  const least = Math.max(0, end - MOST_COMMENT);
  while (end >= least && view.getUint32(end, true) !== END) end--;
  if (end < least) throw dataError('a .npz file, which ends with the directory of a ZIP archive', 'other bytes');
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  return Array.from({ length: count }, () => {
    if (at + ENTRY_BYTES > end || view.getUint32(at, true) !== ENTRY)
      throw dataError('a whole directory of a ZIP archive', 'a cut one');
    const [name, extra, comment] = [28, 30, 32].map((place) => view.getUint16(at + place, true)) as [
      number,
      number,
      number,
    ];
    const entry = {
      name: new TextDecoder().decode(bytes.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + name)),
      method: view.getUint16(at + 10, true),
      checksum: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      at: view.getUint32(at + 42, true),
    };
    at += ENTRY_BYTES + name + extra + comment;
    return entry;
  });
}

function contentOf(view: DataView, bytes: Uint8Array, { method, checksum, packed, size, at }: Entry): Uint8Array {
  if (at + LOCAL_BYTES > bytes.length || view.getUint32(at, true) !== LOCAL) throw new Error('its header is not there');
  const start = at + LOCAL_BYTES + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
  if (start + packed > bytes.length) throw new Error('it is cut');
  const content = bytes.subarray(start, start + packed);
  if (method !== 0 && method !== 8) throw new Error(`its compression ${method} is neither 0 (none) nor 8 (deflate)`);
  // Deflate makes at most 1032 bytes of one.
  if (size > 1032 * packed + 1032) throw new Error('its size is beyond what it can hold');
  const whole = method === 0 ? content : inflateRawSync(content, { maxOutputLength: Math.max(1, size) });
  if (whole.length !== size || crc32(whole) !== checksum) throw new Error('it was altered: its checksum is another');
  return whole;
}
