/** Loads the Esn of a file and writes the bytes of its forecast, as a process of its own. */
import { Esn } from '../../src/index.js';

const [file, steps] = process.argv.slice(2);
const { data } = (await Esn.load(file!)).forecast({ steps: Number(steps) });
process.stdout.write(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex'));
