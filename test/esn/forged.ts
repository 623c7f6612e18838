/** Files of models whose description was changed and whose checksum was made right again. */
import { createHash } from 'node:crypto';

export function forged(bytes: Buffer, change: (model: never, header: never) => void): Buffer {
  const end = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, end));
  const model = JSON.parse(header.__metadata__.model);
  change(model as never, header as never);
  header.__metadata__.model = JSON.stringify(model);
  header.__metadata__.checksum = '0'.repeat(64);
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, ' ');
  padded.writeBigUInt64LE(BigInt(padded.length - 8));
  text.copy(padded, 8);
  const all = Buffer.concat([padded, bytes.subarray(end)]);
  all.write(createHash('sha256').update(all).digest('hex'), all.indexOf('0'.repeat(64)));
  return all;
}
